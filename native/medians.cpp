#include "medians.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

#include "pool.hpp"
#include "tally.hpp"

namespace omnimeans {
namespace {

constexpr std::int64_t kBatch = 1 << 30;            // rows whose counts fit 32 bits
constexpr std::int64_t kWidest = 256;               // columns together: what is known of them fits the cache
constexpr std::int64_t kCollected = 1 << 20;        // bytes of values kept in a pass, or one for each row
constexpr std::int64_t kAhead = 3;                  // rows fetched ahead: they do not lie side by side
constexpr std::int64_t kFewest = 32, kMost = 1024;  // rows of a sample of a cluster

const Tallies& tallies_in_use() {
  const std::string name = kernels().name;
#if defined(OMNIMEANS_X86_KERNELS)
  if (name == "avx512") return avx512::tally_kernels();
  if (name == "avx2") return avx2::tally_kernels();
#endif
  return baseline::tally_kernels();
}
const Tallies& tallies() {
  static const Tallies& found = tallies_in_use();
  return found;
}
template <typename T>
const TallyKernels<T>& tallies_for() {
  if constexpr (sizeof(T) == 4) {
    return tallies().f32;
  } else {
    return tallies().f64;
  }
}

// What a worker counts in.
template <typename T, typename Mass>
using Tallied = std::conditional_t<kWeighted<Mass>, Mass, Counted<T>>;

// Adding 0 makes -0 and 0 one value, whichever of them was found.
double middle(double a, double b) { return a == b ? a + 0.0 : 0.5 * a + 0.5 * b; }

// A row's weight in the grid's finest steps.
template <typename Mass>
Mass mass_of(const double* weights, std::int64_t i, const Magic& grid) {
  if constexpr (!kWeighted<Mass>) {
    return 1;
  } else {
    const auto steps = [](double value, double magic) {
      return std::bit_cast<std::int64_t>(value + magic) - std::bit_cast<std::int64_t>(magic);
    };
    const double high = grid.high.back(), low = grid.low.back(), weight = weights[i];
    const double rest = weight - ((weight + high) - high);
    return static_cast<Mass>(steps(weight, high)) * (static_cast<Mass>(1) << grid.bits) +
           steps(rest, low);
  }
}

template <typename T, typename Mass>
void tally(const T* x, const T* pivot, std::int64_t d, Mass mass, Tallied<T, Mass>* less,
           Tallied<T, Mass>* upto) {
  if constexpr (!kWeighted<Mass>) {
    tallies_for<T>().tally(x, pivot, d, static_cast<Counted<T>>(mass), less, upto);
  } else {
    for (std::int64_t f = 0; f < d; ++f) {
      if (x[f] < pivot[f]) less[f] += mass;
      if (x[f] <= pivot[f]) upto[f] += mass;
    }
  }
}

template <typename T>
constexpr T kInfinite = std::numeric_limits<T>::infinity();

}  // namespace

// One cluster's coordinates in some columns, numbered from the first of them.
template <typename T, typename Mass>
struct Medians<T, Mass>::Strip {
  struct Search {
    std::int64_t column;
    Side<T, Mass> below, above;
  };

  const Matrix<T>& x;
  const double* weights;
  const Magic& grid;
  std::int64_t first, columns;
  T* pivot;
  Mass *less, *upto;
  double* out;
  Mass all = 0;  // of the cluster
  std::vector<Search> searches = {};
  std::vector<std::int32_t> number = {};  // of the search of a column
  std::vector<T> low = {}, high = {};     // values of [low, high] are looked for

  Mass lower() const { return (all + 1) / 2; }  // mass not above the median, at its lower
  Mass higher() const { return all / 2 + 1; }   // and at its upper end
  const T* row(std::int64_t i) const { return x.row(i) + first; }
  Mass mass(std::int64_t i) const { return mass_of<Mass>(weights, i, grid); }

  // First pivots: medians of some rows.
  void sample(Members::Of rows) {
    const std::int64_t step = rows.size() / std::clamp(rows.size() / 64, kFewest, kMost) + 1;
    std::vector<T> values((rows.size() + step - 1) / step);
    const auto middle = values.begin() + static_cast<std::int64_t>(values.size()) / 2;
    for (std::int64_t c = 0; c < columns; ++c) {
      for (std::size_t m = 0; m < values.size(); ++m) values[m] = row(rows[m * step])[c];
      std::nth_element(values.begin(), middle, values.end());
      pivot[c] = *middle;
    }
  }

  // Rows that join the cluster (sign 1) or leave it (-1) change the masses.
  void count(Members::Of rows, int sign) {
    std::vector<Tallied<T, Mass>> fewer(columns), most(columns);
    for (std::int64_t begin = 0; begin < rows.size(); begin += kBatch) {
      const std::int64_t end = std::min(begin + kBatch, rows.size());
      for (std::int64_t m = begin; m < end; ++m) {
        const T* ahead = row(rows[std::min(m + kAhead, end - 1)]);
        for (std::int64_t c = 0; c < columns; c += kBlock<T>) __builtin_prefetch(ahead + c);
        tally<T, Mass>(row(rows[m]), pivot, columns, sign * mass(rows[m]), fewer.data(), most.data());
      }
      for (std::int64_t c = 0; c < columns; ++c) {
        less[c] += std::exchange(fewer[c], 0);
        upto[c] += std::exchange(most[c], 0);
      }
    }
  }

  // Opens searches from a column on, as many as there is room for; returns the column after them.
  // A pivot that is the median needs none.
  std::int64_t open(std::int64_t from, std::int64_t size, std::int64_t room) {
    searches.clear();
    number.resize(columns);
    low.assign(columns, kInfinite<T>);
    high.assign(columns, -kInfinite<T>);
    std::int64_t c = from;
    for (; c < columns && room > 0; ++c) {
      Search search{c, {}, {}};
      if (less[c] >= lower()) search.below.open(less[c] - lower() + 1, false);
      if (upto[c] < higher()) search.above.open(higher() - upto[c], true);
      const Mass need = search.below.need + search.above.need;
      if (need == 0) {
        out[c] = pivot[c] + 0.0;
        continue;
      }
      low[c] = search.below.need > 0 ? -kInfinite<T> : std::nextafter(pivot[c], kInfinite<T>);
      high[c] = search.above.need > 0 ? kInfinite<T> : std::nextafter(pivot[c], -kInfinite<T>);
      const double rows = static_cast<double>(need) / static_cast<double>(all) * static_cast<double>(size);
      room -= static_cast<std::int64_t>((2 * rows + search.below.kSpare) * sizeof(Item<T, Mass>));
      number[c] = static_cast<std::int32_t>(searches.size());
      searches.push_back(std::move(search));
    }
    return c;
  }

  void look(Members::Of rows) {
    std::vector<std::int32_t> blocks, found(columns);  // blocks of columns that are looked at
    for (const Search& search : searches) {
      const auto block = static_cast<std::int32_t>(search.column / kBlock<T>);
      if (blocks.empty() || blocks.back() != block) blocks.push_back(block);
    }
    const auto between = tallies_for<T>().between;
    for (std::int64_t m = 0; m < rows.size(); ++m) {
      const T* ahead = row(rows[std::min(m + kAhead, rows.size() - 1)]);
      for (const std::int32_t block : blocks) __builtin_prefetch(ahead + block * kBlock<T>);
      const T* values = row(rows[m]);
      const std::int64_t count = between(values, low.data(), high.data(), columns, blocks.data(),
                                         static_cast<std::int64_t>(blocks.size()), found.data());
      const Mass mine = count ? mass(rows[m]) : 0;
      for (std::int64_t hit = 0; hit < count; ++hit) {
        const std::int32_t c = found[hit];
        const bool up = values[c] > pivot[c];
        Search& search = searches[number[c]];
        Side<T, Mass>& side = up ? search.above : search.below;
        if (side.add(values[c], mine)) (up ? high : low)[c] = side.value_of_bound();
      }
    }
  }

  // The pivot becomes the upper end of the median.
  void settle(Search& search) {
    auto& [c, below, above] = search;
    if (below.need > 0) below.shrink();
    if (above.need > 0) above.shrink();
    T lower_end = pivot[c];
    if (upto[c] < lower()) {
      lower_end = above.reach(lower() - upto[c]).value;
    } else if (less[c] >= lower()) {
      lower_end = below.reach(less[c] - lower() + 1).value;
    }
    if (upto[c] < higher()) {
      const auto found = above.reach(higher() - upto[c]);
      pivot[c] = found.value;
      less[c] = upto[c] + found.before;
      upto[c] = less[c] + found.mass;
    } else if (less[c] >= higher()) {
      const auto found = below.reach(less[c] - higher() + 1);
      pivot[c] = found.value;
      upto[c] = less[c] - found.before;
      less[c] = upto[c] - found.mass;
    }
    out[c] = middle(lower_end, pivot[c]);
  }
};

template <typename T, typename Mass>
void Medians<T, Mass>::find(const Matrix<T>& x, const double* weights, const Magic& grid,
                            const std::int32_t* labels, std::int64_t k, double* out, int threads) {
  const std::int64_t n = x.n, d = x.d;
  const bool known = known_ && k == static_cast<std::int64_t>(all_.size());
  if (!known) {
    pivot_.assign(k * d, 0);
    members_.forget();
  }
  known_ = false;  // unless this is gone through with
  const auto weighs = [&](std::int64_t i) { return !weights || weights[i] > 0; };
  const bool steady = members_.update(labels, n, k, weighs);
  if (!steady) {
    less_.assign(k * d, 0);
    upto_.assign(k * d, 0);
  }
  all_.assign(k, 0);
  for (std::int64_t i = 0; i < n; ++i) {
    if (weighs(i)) all_[labels[i]] += mass_of<Mass>(weights, i, grid);
  }

  const std::int64_t room = std::max(kCollected, n) / threads;
  const std::int64_t even = (d + 4 * threads - 1) / (4 * threads);  // where clusters are few
  const std::int64_t width = std::clamp<std::int64_t>(even, kBlock<T>, kWidest);
  const std::int64_t strips = (d + width - 1) / width;
  finish(parallel(k * strips, 1, threads, [&](int, std::int64_t item, std::int64_t) {
    const std::int64_t j = item / strips, first = item % strips * width;
    const std::int64_t columns = std::min(width, d - first), place = j * d + first;
    const Members::Of rows = members_.of(j);
    if (rows.size() == 0) {
      std::fill_n(out + place, columns, 0.0);
      std::fill_n(less_.data() + place, columns, Mass{0});
      std::fill_n(upto_.data() + place, columns, Mass{0});
      return;
    }
    Strip strip{x, weights, grid, first, columns, pivot_.data() + place, less_.data() + place,
                upto_.data() + place, out + place, all_[j]};
    if (!known) strip.sample(rows);
    if (steady) strip.count(members_.left(j), -1);
    strip.count(steady ? members_.joined(j) : rows, 1);
    for (std::int64_t c = 0; c < columns;) {
      c = strip.open(c, rows.size(), room);
      if (!strip.searches.empty()) strip.look(rows);
      for (auto& search : strip.searches) strip.settle(search);
    }
  }));
  known_ = true;
}

template <typename T>
void Rows<T>::medians(std::int64_t k, double* out, int threads) {
  const auto found_by = [&](auto& medians) {
    if (!medians) medians = std::make_shared<typename std::decay_t<decltype(medians)>::element_type>();
    medians->find(x_, weights_, grid_, labels_, k, out, threads);
  };
  weights_ ? found_by(weighted_medians_) : found_by(medians_);
}

template void Rows<float>::medians(std::int64_t, double*, int);
template void Rows<double>::medians(std::int64_t, double*, int);
template class Medians<float, std::int64_t>;
template class Medians<float, __int128>;
template class Medians<double, std::int64_t>;
template class Medians<double, __int128>;

}  // namespace omnimeans
