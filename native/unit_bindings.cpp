// Binds the scaling of rows to unit length.
#include "arrays.hpp"
#include "unit.hpp"

using namespace nanobind::literals;

namespace omnimeans {
namespace {

template <typename T>
void bind(nb::module_& m) {
  m.def(
      "unit_rows",
      [](In2<T> x, int threads) {
        const Matrix<T> rows = matrix(x);
        Out<T> out = new_array<T>({x.shape(0), x.shape(1)});
        std::vector<std::int64_t> blank;
        {
          nb::gil_scoped_release release;
          blank = unit_rows(rows, out.data(), some(threads));
        }
        return nb::make_tuple(out, copy_of(blank, {blank.size()}));
      },
      "x"_a.noconvert(), "threads"_a);
}

}  // namespace

void bind_unit(nb::module_& m) {
  bind<float>(m);
  bind<double>(m);
}

}  // namespace omnimeans
