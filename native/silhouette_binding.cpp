// The Python face of silhouette.hpp.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "silhouette.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace omnimeans {
namespace {

template <typename T>
using Flat = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <typename T>
using Table = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <typename T>
using Strided = nb::ndarray<const T, nb::ndim<2>, nb::device::cpu>;
using Floats = nb::ndarray<nb::numpy, double>;

Floats room(std::initializer_list<std::size_t> shape) {
  std::size_t size = 1;
  for (const std::size_t extent : shape) size *= extent;
  double* data = new double[size]();
  nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<double*>(p); });
  return Floats(data, shape.size(), shape.begin(), owner);
}

void need(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

Metric kernel_named(const std::string& name) {
  need(name == "euclidean" || name == "manhattan", "unknown kernel");
  return name == "euclidean" ? Metric::euclidean : Metric::manhattan;
}

void need_labels(const std::int32_t* labels, std::size_t count, std::int64_t k) {
  need(k > 0 && std::all_of(labels, labels + count,
                            [&](std::int32_t label) { return label >= 0 && label < k; }),
       "labels must be zero or more and below the number of clusters");
}

Passing passing(const Table<double>& x, const std::optional<Flat<double>>& weights) {
  need(x.shape(0) > 0 && x.shape(1) > 0, "the matrix is empty");
  need(!weights || weights->shape(0) == x.shape(0), "a weight is needed for each row");
  const auto n = static_cast<std::int64_t>(x.shape(0));
  return {x.data(), n, static_cast<std::int64_t>(x.shape(1)), weights ? weights->data() : nullptr,
          nullptr,  1, n, 0};
}

template <typename T>
nb::tuple own_and_other_of(const Strided<T>& x, const Table<T>& centers,
                           const Flat<std::int32_t>& labels, const std::string& kernel,
                           int threads) {
  const std::size_t n = x.shape(0), k = centers.shape(0);
  need(n > 0 && x.shape(1) > 0 && (x.shape(1) == 1 || x.stride(1) == 1),
       "the values of a row must be contiguous");
  need(k > 0 && centers.shape(1) == x.shape(1), "the centres need as many columns as the rows");
  need(labels.shape(0) == n, "a label is needed for each row");
  need(threads >= 1, "at least one thread is needed");
  need_labels(labels.data(), n, k);
  const Metric metric = kernel_named(kernel);
  Floats own = room({n}), other = room({n});
  {
    nb::gil_scoped_release release;
    own_and_other<T>(x.data(), n, x.shape(1), x.stride(0), centers.data(), k, labels.data(),
                     metric, own.data(), other.data(), std::min(threads, 1024));
  }
  return nb::make_tuple(own, other);
}

}  // namespace

void bind_silhouette(nb::module_& m) {
  m.def(
      "silhouettes",
      [](Table<double> x, Table<std::int32_t> labels, std::int64_t k,
         std::optional<Flat<double>> weights, const std::string& kernel, bool root, int threads) {
        Passing rows = passing(x, weights);
        need(labels.shape(1) == x.shape(0), "a label is needed for each row");
        need(threads >= 1, "at least one thread is needed");
        need_labels(labels.data(), labels.size(), k);
        rows.labels = labels.data();
        rows.labellings = static_cast<std::int64_t>(labels.shape(0));
        rows.k = k;
        const Metric metric = kernel_named(kernel);
        Floats out = room({labels.shape(0), labels.shape(1)});
        {
          nb::gil_scoped_release release;
          silhouettes(rows, metric, root, out.data(), std::min(threads, 1024));
        }
        return out;
      },
      "x"_a.noconvert(), "labels"_a.noconvert(), "k"_a, "weights"_a.none().noconvert(), "kernel"_a,
      "root"_a, "threads"_a);
  m.def(
      "extremes",
      [](Table<double> x, Flat<std::int32_t> labels, const std::string& kernel, int threads) {
        Passing rows = passing(x, std::nullopt);
        need(labels.shape(0) == x.shape(0), "a label is needed for each row");
        need(threads >= 1, "at least one thread is needed");
        rows.labels = labels.data();
        const Metric metric = kernel_named(kernel);
        Floats closest = room({x.shape(0)}), farthest = room({x.shape(0)});
        {
          nb::gil_scoped_release release;
          extremes(rows, metric, closest.data(), farthest.data(), std::min(threads, 1024));
        }
        return nb::make_tuple(closest, farthest);
      },
      "x"_a.noconvert(), "labels"_a.noconvert(), "kernel"_a, "threads"_a);
  m.def("own_and_other", &own_and_other_of<float>, "x"_a.noconvert(), "centers"_a.noconvert(),
        "labels"_a.noconvert(), "kernel"_a, "threads"_a);
  m.def("own_and_other", &own_and_other_of<double>, "x"_a.noconvert(), "centers"_a.noconvert(),
        "labels"_a.noconvert(), "kernel"_a, "threads"_a);
}

}  // namespace omnimeans
