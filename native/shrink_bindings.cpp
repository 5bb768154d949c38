// The Python face of shrink.hpp.
#include <nanobind/stl/optional.h>

#include "arrays.hpp"
#include "shrink.hpp"

using namespace nanobind::literals;

namespace omnimeans {
namespace {

Shrinking shrinking(const In1<std::int32_t>& ks, std::int64_t first, int most, double share,
                    std::int64_t n) {
  const std::size_t count = ks.shape(0);
  require(count > 0 && ks.data()[count - 1] > 0 &&
              std::is_sorted(ks.data(), ks.data() + count, std::greater<>()),
          "numbers of clusters must fall, to 1 or more");
  require(ks.data()[0] <= first && first <= n, "there are not so many rows");
  require(most > 0, "no iterations");
  return {{ks.data(), ks.data() + count}, first, most, share};
}

}  // namespace

void bind_shrink(nb::module_& m) {
  m.def(
      "shrunk",
      [](InC<double> x, MaybeWeights weights, In1<std::int32_t> ks, std::int64_t first, int most,
         double share, std::uint64_t seed) {
        const auto n = static_cast<std::int64_t>(x.shape(0)), d = static_cast<std::int64_t>(x.shape(1));
        require(n > 0 && d > 0, "the matrix is empty");
        require(!weights || weights->shape(0) == x.shape(0), "a weight is needed for each row");
        const Shrinking plan = shrinking(ks, first, most, share, n);
        Out<double> out = new_array<double>({plan.ks.size()});
        {
          nb::gil_scoped_release release;
          Shrinker(x.data(), weights ? weights->data() : nullptr, n, d, Stream{seed})
              .run(plan, [&](std::size_t i, double inertia, const double*) { out.data()[i] = inertia; });
        }
        return out;
      },
      "x"_a.noconvert(), "weights"_a.none().noconvert(), "ks"_a.noconvert(), "first"_a, "most"_a,
      "share"_a, "seed"_a);
  m.def(
      "shrunk_references",
      [](In1<double> low, In1<double> width, std::int64_t n, MaybeWeights weights,
         In1<std::int32_t> ks, std::int64_t first, int most, double share,
         In1<std::uint64_t> seeds, int threads) {
        const auto d = static_cast<std::int64_t>(low.shape(0));
        require(n > 0 && d > 0 && width.shape(0) == low.shape(0), "a box needs two corners");
        require(!weights || static_cast<std::int64_t>(weights->shape(0)) == n,
                "a weight is needed for each row");
        const Shrinking plan = shrinking(ks, first, most, share, n);
        const Box box{low.data(), width.data(), n, d, weights ? weights->data() : nullptr};
        Out<double> out = new_array<double>({seeds.shape(0), plan.ks.size()});
        {
          nb::gil_scoped_release release;
          shrink_references(box, plan, seeds.data(), static_cast<std::int64_t>(seeds.shape(0)),
                            out.data(), some(threads));
        }
        return out;
      },
      "low"_a.noconvert(), "width"_a.noconvert(), "n"_a, "weights"_a.none().noconvert(),
      "ks"_a.noconvert(), "first"_a, "most"_a, "share"_a, "seeds"_a.noconvert(), "threads"_a);
  m.def(
      "shrunk_parts",
      [](InC<double> x, MaybeWeights weights, InC<std::int64_t> numbers, InC<std::int32_t> labels,
         In1<std::int32_t> ks, std::int64_t first, int most, double share,
         In1<std::uint64_t> seeds, int threads) {
        const auto n = static_cast<std::int64_t>(x.shape(0)), d = static_cast<std::int64_t>(x.shape(1));
        const auto part = static_cast<std::int64_t>(numbers.shape(1));
        require(n > 0 && d > 0, "the matrix is empty");
        require(!weights || weights->shape(0) == x.shape(0), "a weight is needed for each row");
        require(numbers.shape(0) == seeds.shape(0), "a seed is needed for each part");
        require(std::all_of(numbers.data(), numbers.data() + numbers.size(),
                            [&](std::int64_t i) { return i >= 0 && i < n; }),
                "row numbers must be below the number of rows");
        const Shrinking plan = shrinking(ks, first, most, share, part);
        require(labels.shape(0) == plan.ks.size() && labels.shape(1) == x.shape(0),
                "a label is needed for each row and number of clusters");
        for (std::size_t j = 0; j < plan.ks.size(); ++j) {
          const std::int32_t* own = labels.data() + j * labels.shape(1);
          require(std::all_of(own, own + n,
                              [&](std::int32_t l) { return l >= 0 && l < plan.ks[j]; }),
                  "labels must be zero or more and below the number of clusters");
        }
        const Parts parts{x.data(), weights ? weights->data() : nullptr, n, d, numbers.data(), part,
                          labels.data()};
        Out<double> out = new_array<double>({seeds.shape(0), plan.ks.size()});
        {
          nb::gil_scoped_release release;
          shrink_parts(parts, plan, seeds.data(), static_cast<std::int64_t>(seeds.shape(0)),
                       out.data(), some(threads));
        }
        return out;
      },
      "x"_a.noconvert(), "weights"_a.none().noconvert(), "numbers"_a.noconvert(),
      "labels"_a.noconvert(), "ks"_a.noconvert(), "first"_a, "most"_a, "share"_a,
      "seeds"_a.noconvert(), "threads"_a);
}

}  // namespace omnimeans
