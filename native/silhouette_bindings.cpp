// The Python face of silhouette.hpp.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "arrays.hpp"
#include "silhouette.hpp"

using namespace nanobind::literals;

namespace omnimeans {
namespace {

Metric kernel_named(const std::string& name) {
  require(name == "euclidean" || name == "manhattan", "unknown kernel");
  return name == "euclidean" ? Metric::euclidean : Metric::manhattan;
}

void require_labels(const std::int32_t* labels, std::size_t count, std::int64_t k) {
  require(k > 0 && std::all_of(labels, labels + count,
                               [&](std::int32_t label) { return label >= 0 && label < k; }),
          "labels must be zero or more and below the number of clusters");
}

Passing passing(const InC<double>& x, const MaybeWeights& weights) {
  require(x.shape(0) > 0 && x.shape(1) > 0, "the matrix is empty");
  require(!weights || weights->shape(0) == x.shape(0), "a weight is needed for each row");
  const auto n = static_cast<std::int64_t>(x.shape(0));
  return {x.data(), n, static_cast<std::int64_t>(x.shape(1)), weights ? weights->data() : nullptr,
          nullptr,  1, n, 0};
}

template <typename T>
nb::tuple own_and_other_of(const In2<T>& x, const InC<T>& centers,
                           const In1<std::int32_t>& labels, const std::string& kernel,
                           int threads) {
  const std::size_t n = x.shape(0), k = centers.shape(0);
  const Matrix<T> rows = matrix(x);
  require(k > 0 && centers.shape(1) == x.shape(1), "the centres need as many columns as the rows");
  require(labels.shape(0) == n, "a label is needed for each row");
  require_labels(labels.data(), n, k);
  const Metric metric = kernel_named(kernel);
  Out<double> own = new_array<double>({n}), other = new_array<double>({n});
  {
    nb::gil_scoped_release release;
    own_and_other<T>(rows, centers.data(), k, labels.data(), metric, own.data(), other.data(),
                     some(threads));
  }
  return nb::make_tuple(own, other);
}

}  // namespace

void bind_silhouette(nb::module_& m) {
  m.def(
      "silhouettes",
      [](InC<double> x, InC<std::int32_t> labels, std::int64_t k,
         MaybeWeights weights, const std::string& kernel, bool root, int threads) {
        Passing rows = passing(x, weights);
        require(labels.shape(1) == x.shape(0), "a label is needed for each row");
        require_labels(labels.data(), labels.size(), k);
        rows.labels = labels.data();
        rows.labellings = static_cast<std::int64_t>(labels.shape(0));
        rows.k = k;
        const Metric metric = kernel_named(kernel);
        Out<double> out = new_array<double>({labels.shape(0), labels.shape(1)});
        {
          nb::gil_scoped_release release;
          silhouettes(rows, metric, root, out.data(), some(threads));
        }
        return out;
      },
      "x"_a.noconvert(), "labels"_a.noconvert(), "k"_a, "weights"_a.none().noconvert(), "kernel"_a,
      "root"_a, "threads"_a);
  m.def(
      "extremes",
      [](InC<double> x, In1<std::int32_t> labels, const std::string& kernel, int threads) {
        Passing rows = passing(x, std::nullopt);
        require(labels.shape(0) == x.shape(0), "a label is needed for each row");
              rows.labels = labels.data();
        const Metric metric = kernel_named(kernel);
        Out<double> closest = new_array<double>({x.shape(0)}), farthest = new_array<double>({x.shape(0)});
        {
          nb::gil_scoped_release release;
          extremes(rows, metric, closest.data(), farthest.data(), some(threads));
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
