// Binds what a part of larger data is asked.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "arrays.hpp"
#include "parts.hpp"

using namespace nanobind::literals;

namespace omnimeans {
namespace {

Metric named(const std::string& name) {
  require(name == "euclidean" || name == "manhattan", "unknown kernel");
  return name == "euclidean" ? Metric::euclidean : Metric::manhattan;
}

template <typename T>
Frame<T> framed(const In1<T>& offset, double mean_square) {
  return {offset.data(), static_cast<T>(scale_for(mean_square))};
}

template <typename T>
void bind(nb::module_& m) {
  m.def(
      "winners",
      [](In2<T> x, In1<double> closest, MaybeWeights weights, int exponent, InC<T> candidates,
         const std::string& kernel, In1<T> offset, double mean_square, int threads,
         std::int64_t room) {
        const Matrix<T> rows = matrix(x);
        require(closest.shape(0) == x.shape(0), "a distance is needed for each row");
        require(!weights || weights->shape(0) == x.shape(0), "a weight is needed for each row");
        require(candidates.shape(1) == x.shape(1) && candidates.shape(0) > 0 &&
                    offset.shape(0) == x.shape(1),
                "candidates and offset need as many columns as the rows");
        require(rows.n <= INT32_MAX, "a part has too many rows");
        const Metric metric = named(kernel);
        Winners found;
        {
          nb::gil_scoped_release release;
          found = winners(rows, closest.data(), weights ? weights->data() : nullptr, exponent,
                          candidates.data(), candidates.shape(0), metric,
                          framed(offset, mean_square), some(threads), room);
        }
        return nb::make_tuple(found.complete, copy_of(found.gains, {found.gains.size()}),
                              copy_of(found.counts, {found.counts.size()}),
                              copy_of(found.rows, {found.rows.size()}),
                              copy_of(found.away, {found.away.size()}));
      },
      "x"_a.noconvert(), "closest"_a.noconvert(), "weights"_a.none().noconvert(), "exponent"_a,
      "candidates"_a.noconvert(), "kernel"_a, "offset"_a.noconvert(), "mean_square"_a, "threads"_a,
      "room"_a);
  m.def(
      "gaps",
      [](In2<T> x, In1<std::int32_t> labels, InC<T> centers, const std::string& kernel,
         In1<T> offset, double mean_square, double reach, int threads) {
        const Matrix<T> rows = matrix(x);
        const std::int64_t k = centers.shape(0);
        require(labels.shape(0) == x.shape(0) &&
                    std::all_of(labels.data(), labels.data() + rows.n,
                                [&](std::int32_t label) { return label >= 0 && label < k; }),
                "the number of a centre is needed for each row");
        require(centers.shape(1) == x.shape(1) && offset.shape(0) == x.shape(1),
                "centres and offset need as many columns as the rows");
        const Metric metric = named(kernel);
        std::vector<double> found;
        {
          nb::gil_scoped_release release;
          found = gaps(rows, labels.data(), centers.data(), k, metric, framed(offset, mean_square),
                       reach, some(threads));
        }
        return copy_of(found, {found.size()});
      },
      "x"_a.noconvert(), "labels"_a.noconvert(), "centers"_a.noconvert(), "kernel"_a,
      "offset"_a.noconvert(), "mean_square"_a, "reach"_a, "threads"_a);
}

}  // namespace

void bind_parts(nb::module_& m) {
  bind<float>(m);
  bind<double>(m);
}

}  // namespace omnimeans
