// Proposes the nearest centre of each sparse row, in float32, with a proof or an admission of doubt.
//
// Score.  With the shift m (the data's mean) and c' = c - m, the squared Euclidean distances of x to
// two centres differ by twice the difference of
//   score(x, c) = x.c' + b(c),  b(c) = -m.c' - |c'|^2 / 2,
// so the shift costs nothing for the zeros of x: they stay zeros ("implicit centring").  For the
// city-block distance, without a shift,
//   score(x, c) = -|c|_1 - sum over the non-zero values of (|x - c| - |c|).
//
// Proof.  Let u = 2^-24, n the number of non-zero values.  Rounding x and c' to float32 and adding
// n products to b, itself rounded from float64, errs by at most
//   e = ((n + 10) u + d 2^-51) (1.01 + 4 n u)
// times |c'| (|x| + |m|) + |c'|^2 / 2 (Euclidean), or times |x|_1 + |c|_1 (city block): every partial
// sum is smaller than that, and the additions below are counted in.  Scores are raised by their own
// bound, so that a far centre's does not cast doubt on the near ones; a label b is proven when
// score(b) - 2 e(b) is above every other raised score by what D itself may be rounded by, which is
// (d / 8 + 8) 2^-52 of (|x| + |m| + max |c'|)^2, or of |x|_1 + max |c|_1.
// NaN or infinity anywhere makes the row doubtful, never wrong.
#include "simd.hpp"
#include "sparse_kernels.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

constexpr int kBlock = kLanes == 4 ? 4 : 8;  // vectors of centres in registers
constexpr float kTiny = 0x1p-100f;           // more than all underflows of a score together
constexpr int kAhead = 6;                    // non-zero values fetched ahead

// Scores of V vectors of centres.
template <Metric M, int V, typename T, typename I>
inline void sweep(const SparseScreen& screen, SparseRow<T, I> row, std::int64_t first,
                  float* scores) {
  Vec sum[V];
  for (int v = 0; v < V; ++v) sum[v] = load(screen.start.data() + first + v * kLanes);
  const float* packed = screen.packed.data() + first;
  const T scale = static_cast<T>(screen.scale);
  for (std::int64_t t = 0; t < row.count; ++t) {
    if (t + kAhead < row.count) {
      const float* ahead = packed + static_cast<std::int64_t>(row.columns[t + kAhead]) * screen.width;
      for (int line = 0; line < V * kLanes; line += 16) __builtin_prefetch(ahead + line);
    }
    const float* c = packed + static_cast<std::int64_t>(row.columns[t]) * screen.width;
    const Vec x = broadcast(static_cast<float>(row.values[t] * scale));
    for (int v = 0; v < V; ++v) {
      const Vec center = load(c + v * kLanes);
      if constexpr (M == Metric::euclidean) {
        sum[v] += x * center;
      } else {
        sum[v] -= vabs(x - center) - vabs(center);
      }
    }
  }
  for (int v = 0; v < V; ++v) store(scores + first + v * kLanes, sum[v]);
}

template <Metric M, int V, typename T, typename I>
inline void sweep_sized(std::int64_t vectors, const SparseScreen& screen, SparseRow<T, I> row,
                        std::int64_t first, float* scores) {
  if (vectors == V) {
    sweep<M, V>(screen, row, first, scores);
  } else if constexpr (V > 1) {
    sweep_sized<M, V - 1>(vectors, screen, row, first, scores);
  }
}

// The row's norm, Euclidean or city-block.
template <Metric M, typename T, typename I>
inline float size_of(const SparseScreen& screen, SparseRow<T, I> row) {
  float part[8] = {};
  std::int64_t t = 0;
  const auto add = [&](float& sum, T value) {
    const float x = static_cast<float>(value * static_cast<T>(screen.scale));
    sum += M == Metric::euclidean ? x * x : __builtin_fabsf(x);
  };
  for (; t + 8 <= row.count; t += 8) {
    for (int i = 0; i < 8; ++i) add(part[i], row.values[t + i]);
  }
  for (int i = 0; t < row.count; ++t, ++i) add(part[i], row.values[t]);
  float sum = 0;
  for (const float p : part) sum += p;
  return M == Metric::euclidean ? __builtin_sqrtf(sum) : sum;
}

inline float error_of(const SparseScreen& screen, std::int64_t count) {
  const float u = 0x1p-24f, n = static_cast<float>(count);
  return ((n + 10) * u + static_cast<float>(screen.d) * 0x1p-51f) * (1.01f + 4 * n * u);
}

template <Metric M, typename T, typename I>
Doubt raise(const SparseScreen& screen, SparseRow<T, I> row, float* scores) {
  const std::int64_t vectors = screen.width / kLanes;
  for (std::int64_t v = 0; v < vectors; v += kBlock) {
    sweep_sized<M, kBlock>(vectors - v < kBlock ? vectors - v : kBlock, screen, row, v * kLanes,
                           scores);
  }
  const float size = size_of<M>(screen, row), relative = error_of(screen, row.count);
  Doubt doubt{relative < 0.25f ? relative : __builtin_inff(), size + screen.remote, 0};
  if constexpr (M == Metric::manhattan) doubt.slope = 1, doubt.level = size;
  const Vec by_norm = broadcast(doubt.relative * doubt.slope), by_half = broadcast(doubt.relative);
  for (std::int64_t j = 0; j < screen.width; j += kLanes) {
    const Vec error = by_norm * load(screen.norms.data() + j) + by_half * load(screen.halves.data() + j);
    store(scores + j, load(scores + j) + error);
  }
  return doubt;
}

template <Metric M, typename T, typename I>
bool propose(const SparseScreen& screen, SparseRow<T, I> row, float* scores, std::int32_t* label,
             float* threshold) {
  const Doubt doubt = raise<M>(screen, row, scores);
  Vec best = broadcast(-__builtin_inff()), second = best;
  IVec found = broadcast(std::int32_t{0});
  for (std::int64_t j = 0; j < screen.width; j += kLanes) {
    const Vec score = load(scores + j);
    const IVec here = broadcast(static_cast<std::int32_t>(j));
    second = vmax(second, vmin(best, score));
    found = score > best ? here : found;
    best = vmax(best, score);
  }
  // The best of all lanes, and the second best: among the others' best and its own lane's second.
  int lane = 0;
  for (int i = 1; i < kLanes; ++i) lane = best[i] > best[lane] ? i : lane;
  float other = second[lane];
  for (int i = 0; i < kLanes; ++i) {
    if (i != lane) other = best[i] > other ? best[i] : other;
  }
  *label = found[lane] + lane;
  const float u = 0x1p-52f * (static_cast<float>(screen.d) / 8 + 8) * 1.01f;
  const float far = doubt.slope * (M == Metric::manhattan ? 0 : 1) + doubt.level + screen.reach;
  const float error = 2 * doubt.relative * (doubt.slope * screen.norms[*label] +
                                            screen.halves[*label] + doubt.level) +
                      u * (M == Metric::euclidean ? far * far : far) + kTiny;
  *threshold = best[lane] - error;
  // A NaN among the scores may have been passed over: then some sum of theirs is NaN as well.
  Vec all = broadcast(0.0f);
  for (std::int64_t j = 0; j < screen.width; j += kLanes) {
    const Vec score = load(scores + j);
    all += score == score ? broadcast(0.0f) : score;
  }
  float check = 0;
  for (int i = 0; i < kLanes; ++i) check += all[i];
  return !(*threshold > other) || !(best[lane] < 0x1p126f) || check != check;
}

template <typename T, typename I>
Doubt raise_any(const SparseScreen& screen, SparseRow<T, I> row, float* scores) {
  return screen.metric == Metric::euclidean ? raise<Metric::euclidean>(screen, row, scores)
                                            : raise<Metric::manhattan>(screen, row, scores);
}
template <typename T, typename I>
bool propose_any(const SparseScreen& screen, SparseRow<T, I> row, float* scores,
                 std::int32_t* label, float* threshold) {
  return screen.metric == Metric::euclidean
             ? propose<Metric::euclidean>(screen, row, scores, label, threshold)
             : propose<Metric::manhattan>(screen, row, scores, label, threshold);
}

}  // namespace

const SparseTable& sparse_kernels() {
  static constexpr SparseTable table = {
      {raise_any<float, std::int32_t>, propose_any<float, std::int32_t>},
      {raise_any<float, std::int64_t>, propose_any<float, std::int64_t>},
      {raise_any<double, std::int32_t>, propose_any<double, std::int32_t>},
      {raise_any<double, std::int64_t>, propose_any<double, std::int64_t>}};
  return table;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
