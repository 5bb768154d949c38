// Sparse rows for Python.
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include "arrays.hpp"
#include "sparse.hpp"
#include "sparse_unit.hpp"

using namespace nanobind::literals;

namespace omnimeans {
namespace {

// Whether the columns of every row ascend; refuses what lies outside the matrix.
template <typename I>
bool ascending(const In1<I>& columns, const In1<std::int64_t>& starts, std::int64_t d) {
  const std::int64_t n = static_cast<std::int64_t>(starts.shape(0)) - 1;
  const auto stored = static_cast<std::int64_t>(columns.shape(0));
  require(n >= 1 && d >= 1, "the matrix is empty");
  require(starts(0) >= 0 && starts(n) <= stored, "the rows end behind the values");
  for (std::int64_t i = 0; i < n; ++i) {
    require(starts(i) <= starts(i + 1), "a row ends before it starts");
  }
  const I* column = columns.data();
  bool ascends = true;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t t = starts(i); t < starts(i + 1); ++t) {
      require(column[t] >= 0 && column[t] < d, "a value lies outside the matrix");
      ascends &= t == starts(i) || column[t - 1] < column[t];
    }
  }
  return ascends;
}

template <typename T, typename I>
void bind(nb::module_& m, const char* name) {
  m.def(name,
        [](In1<T> values, In1<I> columns, In1<std::int64_t> starts,
           std::int64_t d) -> std::unique_ptr<Store<T>> {
          require(values.shape(0) == columns.shape(0), "a column is needed for each value");
          require(ascending(columns, starts, d), "the columns of a row must ascend");
          return std::make_unique<Sparse<T, I>>(values.data(), columns.data(), starts.data(),
                                                static_cast<std::int64_t>(starts.shape(0)) - 1, d);
        },
        "values"_a.noconvert(), "columns"_a.noconvert(), "starts"_a.noconvert(), "d"_a,
        nb::keep_alive<0, 1>(), nb::keep_alive<0, 2>(), nb::keep_alive<0, 3>());
}

template <typename T, typename I>
void bind_unit(nb::module_& m) {
  m.def("unit_sparse",
        [](In1<T> values, In1<I> columns, In1<std::int64_t> starts, std::int64_t d) {
          require(values.shape(0) == columns.shape(0), "a column is needed for each value");
          require(ascending(columns, starts, d), "the columns of a row must ascend");
          Out<T> out = new_array<T>({values.shape(0)});
          const auto blank = unit_rows(values.data(), columns.data(), starts.data(),
                                       static_cast<std::int64_t>(starts.shape(0)) - 1, d, out.data());
          return nb::make_tuple(out, copy_of(blank, {blank.size()}));
        },
        "values"_a.noconvert(), "columns"_a.noconvert(), "starts"_a.noconvert(), "d"_a);
}

}  // namespace

void bind_sparse(nb::module_& m) {
  m.def("ascending", &ascending<std::int32_t>, "columns"_a.noconvert(), "starts"_a.noconvert(), "d"_a);
  m.def("ascending", &ascending<std::int64_t>, "columns"_a.noconvert(), "starts"_a.noconvert(), "d"_a);
  bind_unit<float, std::int32_t>(m);
  bind_unit<float, std::int64_t>(m);
  bind_unit<double, std::int32_t>(m);
  bind_unit<double, std::int64_t>(m);
  bind<float, std::int32_t>(m, "sparse_f32");
  bind<float, std::int64_t>(m, "sparse_f32");
  bind<double, std::int32_t>(m, "sparse_f64");
  bind<double, std::int64_t>(m, "sparse_f64");
}

}  // namespace omnimeans
