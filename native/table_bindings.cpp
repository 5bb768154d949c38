// The Python face of table.hpp.
#include <nanobind/stl/string.h>

#include "arrays.hpp"
#include "table.hpp"

using namespace nanobind::literals;

namespace omnimeans {
namespace {

template <typename T>
using Table = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <typename T, typename Out>
void fill_table(const In2<T>& x, const InC<T>& centers, const std::string& kernel, bool root,
                Table<Out> out, int threads) {
  const Matrix<T> rows = matrix(x);
  const std::int64_t k = static_cast<std::int64_t>(centers.shape(0));
  require(x.shape(1) == centers.shape(1) && k > 0,
          "the centres need as many columns as the rows");
  require(out.shape(0) == x.shape(0) && out.shape(1) == centers.shape(0),
          "the table needs a row for each row and a column for each centre");
  const Metric metric = metric_of(kernel);
  nb::gil_scoped_release release;
  distance_table(rows, centers.data(), k, metric, root, out.data(), some(threads));
}

template <typename T>
Out<double> all_pairs(const In2<T>& x, const InC<T>& centers, const std::string& kernel,
                      int threads) {
  const std::size_t shape[] = {x.shape(0), centers.shape(0)};
  double* values = new double[shape[0] * shape[1]];
  nb::capsule owner(values, [](void* p) noexcept { delete[] static_cast<double*>(p); });
  fill_table<T, double>(x, centers, kernel, false, Table<double>(values, 2, shape, owner), threads);
  return Out<double>(values, 2, shape, owner);
}

template <typename T, typename Out>
void offer(nb::module_& m) {
  m.def("distance_table", &fill_table<T, Out>, "x"_a.noconvert(), "centers"_a.noconvert(),
        "kernel"_a, "root"_a, "out"_a.noconvert(), "threads"_a);
}

}  // namespace

void bind_table(nb::module_& m) {
  offer<float, float>(m);
  offer<float, double>(m);
  offer<double, float>(m);
  offer<double, double>(m);
  m.def("all_pairs", &all_pairs<float>, "x"_a.noconvert(), "centers"_a.noconvert(), "kernel"_a,
        "threads"_a);
  m.def("all_pairs", &all_pairs<double>, "x"_a.noconvert(), "centers"_a.noconvert(), "kernel"_a,
        "threads"_a);
}

}  // namespace omnimeans
