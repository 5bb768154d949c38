// Proposes the nearest centre of each row, in float32, with a proof or an admission of doubt.
//
// Shape.  Rows lie across the lanes of the vectors, so nothing has to be reduced across lanes: each
// lane keeps the best score of its row, the second best, and the best centre.  With at most
// kNarrow features the rows stay in registers and the centres stream past, see narrow.hpp.  With more
// features, a register tile of R centres x V vectors of rows is accumulated feature by feature:
// R * V multiply-adds for V loads and R broadcasts, so the multiply-add units are what limits it.
// Few centres of many features have a shape of their own, see few.hpp.
// Cost per row and centre, in vector instructions per lane: d + 5 (min, max, max, compare, blend).
//
// Score.  score(x, c) = x.c - |c|^2 / 2 for the Euclidean distance, so that the nearest centre has
// the highest score and score(b) - score(c) = (D(x, c) - D(x, b)) / 2; -|x - c|_1 for the city-block
// distance.  Rows and centres are shifted by the data's mean and scaled by a power of two first.
//
// Proof.  Let u = 2^-24 and x', c' be the shifted values rounded to float32; each differs from the
// real one by a factor 1 + e, |e| <= u.
// * Euclidean: d products and d additions, started at -|c'|^2 / 2, err by at most
//   (d + 1) u (|c|^2 / 2 + |x||c|); a rounded half norm adds u |c|^2 / 2, rounded x', c' add
//   2 u (|c|^2 / 2 + |x||c|).  So two scores are in the right order when they differ by more than
//   (d + 4) u (C^2 + 2 |x| C), where C is the largest |c|.
// * City block: d rounded differences and additions err by (d + 1) u S in a sum S, rounded x', c' by
//   p = u (|x|_1 + C): S2 > S1 is sure when (S2 - S1)(1 - g) > 2 g S1 + 2 p with g = (d + 1) u.
// * D itself is rounded: its relative error is at most (d / 8 + 8) 2^-53, of at most (|x| + C)^2.
// Where centres differ much in size, C would be the far ones'; the scores are then raised by the
// bound of their own centre, e(c) = (d + 4) u (|c|^2 / 2 + |x||c|), and a label b is proven when
// score(b) - 2 e(b) is above every other (raised) score; likewise p for the city block.
// The constants below are rounded up generously; kTiny covers underflow.  An overflow makes the
// bound infinite or NaN and the row doubtful, never wrong.
#include "few.hpp"
#include "narrow.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

// Work space behind the sizes, for the scores between strips.
inline float* scores_of(const Screen& screen, float* tile) {
  return sizes_of(screen, tile) + screen.tile;
}

inline double total(Vec values) {
  double sum = 0;
  for (int lane = 0; lane < kLanes; ++lane) sum += values[lane];
  return sum;
}

// The distances that the two best scores and their error stand for.
template <Metric M>
inline void write_ranges(Ranges& ranges, int v, Vec size, Vec best, Vec second, Vec error,
                         float screened) {
  const Vec zero = broadcast(0.0f);
  Vec upper, lower;
  if constexpr (M == Metric::euclidean) {
    const Vec slack = size * 0x1p-20f;  // of the squared norm, and of what follows
    upper = vsqrt(vmax(size - 2 * (best - error) + slack, zero));
    lower = vsqrt(vmax(size - 2 * (second + error) - slack, zero));
  } else {
    upper = error - best;
    lower = vmax(-second * (1 - 2 * screened) - error, zero);
  }
  store(ranges.upper + v * kLanes, upper * (1 + 0x1p-20f));
  store(ranges.lower + v * kLanes, lower * (1 - 0x1p-20f));
}

// Which lanes are in doubt, their labels, and the scores that candidates must reach.
template <Metric M, int V>
inline std::uint64_t certify(const Screen& screen, const float* sizes, const Best<V>& seen,
                             std::int32_t* labels, float* threshold, Ranges* ranges) {
  const float u = 0x1p-24f, screened = screen_error(screen);
  const float decided = (screen.d / 8.0f + 8) * 0x1p-52f * (1.01f + screen.d * 4 * u);
  std::uint64_t doubt = 0;
  for (int v = 0; v < V; ++v) {
    const Vec best = seen.best[v];
    Vec size = load(sizes + v * kLanes);
    Vec norm = broadcast(screen.reach), error;
    Vec overflow = broadcast(0.0f);
    if (screen.guarded) {
      // A far centre's score may be beyond float32; NaN then, and 0 otherwise.
      const Vec most = (M == Metric::euclidean ? vsqrt(size) : size) + screen.reach;
      overflow = most * most * 0.0f;
      for (int i = 0; i < kLanes; ++i) norm[i] = screen.norms[seen.label[v][i]];
    }
    if constexpr (M == Metric::euclidean) {
      size = vsqrt(size);
      const Vec far = size + norm;
      error = screened * norm * (norm + 2 * size) + decided * far * far + kTiny;
    } else {
      error = (2 * screened * (4 * u * norm - best) + (5 * u + decided) * (size + norm)) /
                  (1 - screened) + kTiny;
      if (screened > 0.25f) error = broadcast(__builtin_inff());
    }
    error += overflow;
    store(threshold + v * kLanes, best - error);
    store(labels + v * kLanes, seen.label[v]);
    const std::uint64_t bits = not_greater(best - seen.second[v], error);
    doubt |= bits << (v * kLanes);
    if (ranges) {
      write_ranges<M>(*ranges, v, load(sizes + v * kLanes), best, seen.second[v], error, screened);
    }
  }
  return doubt;
}

// The score that a centre must reach to be nearer to a row than `closest`, which is scaled like the
// rows.  |x|^2 - 2 score is the squared distance; sizes and scores err by less than `margin`.
// Returns the sum of all margins, times the weights if there are any.
template <Metric M>
inline double bound(const Screen& screen, const float* tile, const float* closest,
                    float* threshold, const float* weights = nullptr) {
  const float screened = 2 * screen_error(screen);
  const float reach = screen.guarded ? 0.0f : screen.reach;  // else it is in the scores
  Vec sum = broadcast(0.0f);
  for (int lane = 0; lane < screen.tile; lane += kLanes) {
    const Vec size = load(tile + screen.features * screen.tile + lane);
    const Vec limit = load(closest + lane);
    Vec least, margin;
    if constexpr (M == Metric::euclidean) {
      const Vec far = vsqrt(size) + reach;
      margin = screened * (far * far + limit) + kTiny;
      least = (size - limit) * 0.5f - margin;
    } else {
      margin = screened * (limit + size + reach) + kTiny;
      least = -limit - margin;
    }
    store(threshold + lane, screened < 0.25f ? least : broadcast(-__builtin_inff()));
    sum += weights ? margin * load(weights + lane) : margin;
  }
  return total(sum);
}

std::uint64_t cramped(const float* lower, const float* upper, const std::int32_t* labels,
                      const float* used, int count, float tiny, float* least) {
  std::uint64_t found = 0;
  Vec smallest = broadcast(*least);
  int i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    Vec taken;
    for (int lane = 0; lane < kLanes; ++lane) taken[lane] = used[labels[i + lane]];
    const Vec room = (load(lower + i) - load(upper + i)) * (1 - 0x1p-20f) - taken;
    smallest = vmin(room, smallest);
    found |= static_cast<std::uint64_t>(not_greater(room, broadcast(tiny))) << i;
  }
  for (int lane = 0; lane < kLanes; ++lane) *least = smallest[lane] < *least ? smallest[lane] : *least;
  for (; i < count; ++i) {
    const float room = (lower[i] - upper[i]) * (1 - 0x1p-20f) - used[labels[i]];
    *least = room < *least ? room : *least;
    found |= static_cast<std::uint64_t>(!(room > tiny)) << i;
  }
  return found;
}

void reach(const Screen& screen, const float* tile, const float* closest, float* threshold) {
  if (screen.metric == Metric::euclidean) {
    bound<Metric::euclidean>(screen, tile, closest, threshold);
  } else {
    bound<Metric::manhattan>(screen, tile, closest, threshold);
  }
}

template <Metric M, int D, class Do>
inline auto with_narrow(const Screen& screen, Do&& act) {
  if constexpr (D > 1) {
    if (screen.features != D) return with_narrow<M, D - 1>(screen, act);
  }
  return act.template narrow<M, D, vectors_for(D)>();
}

template <class Do>
inline auto dispatch(const Screen& screen, Do&& act) {
  if (screen.metric == Metric::euclidean) {
    if (screen.features <= kNarrow) return with_narrow<Metric::euclidean, kNarrow>(screen, act);
    return act.template wide<Metric::euclidean>();
  }
  if (screen.features <= kNarrow) return with_narrow<Metric::manhattan, kNarrow>(screen, act);
  return act.template wide<Metric::manhattan>();
}

// Packs, sweeps and certifies a tile.  With many features each strip is packed just before all
// centres pass over it, into the same place, and never leaves the nearest cache.
template <typename T>
struct Propose {
  const Screen& screen;
  const T* const* rows;
  Frame<T> frame;
  float* tile;
  const void* ahead;
  std::int32_t* labels;
  float* threshold;
  Ranges* ranges;
  template <Metric M, int D, int V>
  std::uint64_t narrow() {
    float* sizes = sizes_of(screen, tile);
    if (rows) pack_features<M>(screen, rows, frame, 0, D, tile, sizes);
    Best<V> seen;
    if (screen.grouped) {
      sweep_groups<M, D, V>(screen, tile, seen);
      meet_again<M, D, V>(screen, tile, seen);
    } else {
      sweep_narrow<M, D, V>(screen, tile, seen);
    }
    return certify<M, V>(screen, sizes, seen, labels, threshold, ranges);
  }
  template <Metric M>
  std::uint64_t wide() {
    float* sizes = sizes_of(screen, tile);
    const auto fresh = [&](int f, int features) {
      if (rows) pack_features<M>(screen, rows, frame, f, f + features, tile, sizes);
      return tile;
    };
    Best<kWide> seen;
    if (M == Metric::euclidean && screen.few && rows) {
      sweep_few<kFew>(screen, rows, frame, tile, sizes, seen);
    } else {
      sweep_wide<M>(screen, fresh, scores_of(screen, tile), ahead, seen);
    }
    return certify<M, kWide>(screen, sizes, seen, labels, threshold, ranges);
  }
};

struct Candidates {
  const Screen& screen;
  float* tile;
  const void* ahead;
  const float* threshold;
  std::uint64_t rows;
  FoundCenter found;
  void* context;
  template <Metric M, int D, int V>
  int narrow() {
    Reach<V> reach{threshold, rows, found, context};
    sweep_narrow<M, D, V>(screen, tile, reach);
    return 0;
  }
  template <Metric M>
  int wide() {
    Reach<kWide> reach{threshold, rows, found, context};
    const auto packed = [&](int f, int) { return tile + static_cast<std::size_t>(f) * screen.tile; };
    sweep_wide<M>(screen, packed, scores_of(screen, tile), ahead, reach);
    return 0;
  }
};

template <typename T>
std::uint64_t propose(const Screen& screen, const T* const* rows, Frame<T> frame, float* tile,
                      const void* ahead, std::int32_t* labels, float* threshold, Ranges* ranges) {
  return dispatch(screen, Propose<T>{screen, rows, frame, tile, ahead, labels, threshold, ranges});
}

void candidates(const Screen& screen, float* tile, const void* ahead, const float* threshold,
                std::uint64_t rows, FoundCenter found, void* context) {
  dispatch(screen, Candidates{screen, tile, ahead, threshold, rows, found, context});
}

// Sums up by how much scores exceed their thresholds.  NaN stays NaN.
template <int V>
struct Excess {
  const float *threshold, *weights;
  double* sums;
  std::uint64_t* rows;
  Vec sum = broadcast(0.0f);
  std::uint64_t hits = 0;
  inline void take(int j, int v, Vec score) {
    const Vec least = load(threshold + v * kLanes);
    sum += vmax(broadcast(0.0f), score - least) * load(weights + v * kLanes);
    hits |= static_cast<std::uint64_t>(not_greater(least, score)) << (v * kLanes);
    if (v < V - 1) return;
    sums[j] += total(sum);
    rows[j] = hits;
    sum = broadcast(0.0f);
    hits = 0;
  }
};

struct Weigh {
  const Screen& screen;
  float* tile;
  const float *threshold, *weights;
  double* sums;
  std::uint64_t* rows;
  template <Metric M, int D, int V>
  int narrow() {
    Excess<V> excess{threshold, weights, sums, rows};
    sweep_narrow<M, D, V>(screen, tile, excess);
    return 0;
  }
  template <Metric M>
  int wide() {
    Excess<kWide> excess{threshold, weights, sums, rows};
    const auto packed = [&](int f, int) { return tile + static_cast<std::size_t>(f) * screen.tile; };
    sweep_wide<M>(screen, packed, scores_of(screen, tile), nullptr, excess);
    return 0;
  }
};

void weigh(const Screen& screen, float* tile, const float* closest, const float* weights,
           double* sums, double* slack, std::uint64_t* rows) {
  float threshold[kMaxTile];
  const double margins =
      screen.metric == Metric::euclidean
          ? bound<Metric::euclidean>(screen, tile, closest, threshold, weights)
          : bound<Metric::manhattan>(screen, tile, closest, threshold, weights);
  *slack += 2 * margins;
  dispatch(screen, Weigh{screen, tile, threshold, weights, sums, rows});
}

}  // namespace

const Kernels& screen_kernels() {
#define OMNIMEANS_STRING_(x) #x
#define OMNIMEANS_STRING(x) OMNIMEANS_STRING_(x)
  static constexpr Kernels table = {OMNIMEANS_STRING(OMNIMEANS_KERNELS),
                                    {prepare<float>, pack<float>, propose<float>},
                                    {prepare<double>, pack<double>, propose<double>},
                                    cramped,
                                    reach,
                                    candidates,
                                    weigh};
  return table;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
