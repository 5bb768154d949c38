// Binds the search for nearest centres through groups of them.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "arrays.hpp"
#include "groups.hpp"

using namespace nanobind::literals;

namespace omnimeans {
namespace {

template <typename T>
void bind(nb::module_& m) {
  m.def(
      "nearest_in_groups",
      [](In2<T> x, InC<T> centers, In1<std::int64_t> starts, InC<T> middles,
         const std::string& kernel, std::int64_t probes, int threads,
         std::optional<In1<std::int32_t>> names) {
        const Matrix<T> rows = matrix(x);
        const auto k = static_cast<std::int64_t>(centers.shape(0));
        const auto count = static_cast<std::int64_t>(middles.shape(0));
        require(centers.shape(1) == x.shape(1) && middles.shape(1) == x.shape(1),
                "centres and middles need as many columns as the rows");
        require(k > 0 && static_cast<std::int64_t>(starts.shape(0)) == count + 1 &&
                    starts(0) == 0 && starts(count) == k &&
                    std::is_sorted(starts.data(), starts.data() + count + 1),
                "the groups do not hold all centres, one after the other");
        require(probes >= 0, "there are no fewer groups than none");
        require(!names || (static_cast<std::int64_t>(names->shape(0)) == k &&
                           within(names->data(), k, 0, k)),
                "a label is needed for each centre");
        const Metric metric = metric_of(kernel);
        Out<std::int32_t> labels = new_array<std::int32_t>({x.shape(0)});
        std::int64_t compared;
        {
          nb::gil_scoped_release release;
          const Groups<T> groups(centers.data(), rows.d, starts.data(), middles.data(), count,
                                 metric, some(threads), names ? names->data() : nullptr);
          compared = nearest_in_groups(rows, groups, probes, labels.data(), some(threads));
        }
        return nb::make_tuple(labels, compared);
      },
      "x"_a.noconvert(), "centers"_a.noconvert(), "starts"_a.noconvert(), "middles"_a.noconvert(),
      "kernel"_a, "probes"_a, "threads"_a, "names"_a.noconvert() = nb::none());
  m.def(
      "label_sums",
      [](In2<T> x, MaybeWeights weights, In1<std::int32_t> labels, std::int64_t k,
         In1<std::int64_t> exponents, int bits, int threads) {
        const Matrix<T> rows = matrix(x);
        require(labels.shape(0) == x.shape(0) && k > 0 && within(labels.data(), rows.n, 0, k),
                "every row needs a label below the number of clusters");
        require(exponents.shape(0) == x.shape(1) + 1, "an exponent is needed for each column");
        require_grid(exponents, bits);
        const Magic grid(exponents.data(), rows.d + 1, bits);
        const double* shares = data_of(weights, x.shape(0));
        std::vector<std::int64_t> sums;
        {
          nb::gil_scoped_release release;
          sums = label_sums(rows, shares, labels.data(), k, grid, some(threads));
        }
        return copy_of(sums, {static_cast<std::size_t>(k), 2, x.shape(1) + 1});
      },
      "x"_a.noconvert(), "weights"_a.none().noconvert(), "labels"_a.noconvert(), "k"_a,
      "exponents"_a.noconvert(), "bits"_a, "threads"_a);
}

}  // namespace

void bind_groups(nb::module_& m) {
  bind<float>(m);
  bind<double>(m);
}

}  // namespace omnimeans
