// The pass without proof: rows are packed, all centres pass, the best score wins, and nobody asks by
// how much.  It is what omnimeans' certified pass is compared with (mode "certification").
//
// Arguments: rows and centres as float32 files, n, d, k.  Prints the seconds of a pass, best of
// several, and a check sum of the labels.  Compiled by bench/certification.py from the sources of the
// core, with the options of its kernels.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "narrow.hpp"

namespace omnimeans {

void make_room(std::vector<float>& values, std::size_t size) { values.resize(size); }

namespace OMNIMEANS_KERNELS {

constexpr int RUNS = 7;

// Keeps the best score of each lane, and no second.
template <int V>
struct Only {
  Vec best[V];
  IVec label[V];
  Only() {
    for (int v = 0; v < V; ++v) {
      best[v] = broadcast(-__builtin_inff());
      label[v] = broadcast(std::int32_t{0});
    }
  }
  inline void take(int j, int v, Vec score) {
    label[v] = score > best[v] ? broadcast(std::int32_t{j}) : label[v];
    best[v] = vmax(best[v], score);
  }
};

constexpr Metric E = Metric::euclidean;

template <int D>
void narrow(const Screen& screen, const float* const* rows, Frame<float> frame, float* tile,
            std::int32_t* labels) {
  if constexpr (D > 1) {
    if (screen.features != D) return narrow<D - 1>(screen, rows, frame, tile, labels);
  }
  constexpr int V = vectors_for(D);
  pack_features<E>(screen, rows, frame, 0, D, tile, sizes_of(screen, tile));
  Only<V> seen;
  if (!screen.grouped) {
    sweep_narrow<E, D, V>(screen, tile, seen);
    for (int v = 0; v < V; ++v) store(labels + v * kLanes, seen.label[v]);
    return;
  }
  sweep_groups<E, D, V>(screen, tile, seen);
  float best[V * kLanes];
  __builtin_memcpy(best, seen.best, sizeof best);
  __builtin_memcpy(labels, seen.label, V * kLanes * sizeof *labels);
  for (int i = 0; i < V * kLanes; ++i) {  // which of the group it was
    const Vec score = group_scores<E, D, V>(screen, tile, i, labels[i]);
    labels[i] += std::countr_zero(not_greater(broadcast(best[i]), score)) % kLanes;
  }
}

void wide(const Screen& screen, const float* const* rows, Frame<float> frame, float* tile,
          const void* ahead, std::int32_t* labels) {
  float* sizes = sizes_of(screen, tile);
  const auto fresh = [&](int f, int features) {
    pack_features<E>(screen, rows, frame, f, f + features, tile, sizes);
    return tile;
  };
  Only<kWide> seen;
  sweep_wide<E>(screen, fresh, sizes + screen.tile, ahead, seen);
  for (int v = 0; v < kWide; ++v) store(labels + v * kLanes, seen.label[v]);
}

double pass(const std::vector<float>& X, const std::vector<float>& C, long n, long d, long k,
            std::vector<std::int32_t>& labels) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<float> offset(d);
  for (long i = 0; i < k * d; ++i) offset[i % d] += C[i] / static_cast<float>(k);
  const Frame<float> frame{offset.data(), 1.0f};
  Screen screen;
  prepare(screen, C.data(), k, d, E, frame);
  std::vector<float> tile(screen.floats);
  const float* rows[kMaxTile];
  for (long first = 0; first < n; first += screen.tile) {
    for (int i = 0; i < screen.tile; ++i) rows[i] = X.data() + std::min(first + i, n - 1) * d;
    const float* ahead = first + 2 * screen.tile <= n ? rows[0] + screen.tile * d : nullptr;
    if (screen.features <= kNarrow) {
      narrow<kNarrow>(screen, rows, frame, tile.data(), labels.data() + first);
    } else {
      wide(screen, rows, frame, tile.data(), ahead, labels.data() + first);
    }
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::vector<float> read(const char* path, std::size_t size) {
  std::vector<float> values(size);
  std::FILE* file = std::fopen(path, "rb");
  if (!file || std::fread(values.data(), 4, size, file) != size) std::abort();
  std::fclose(file);
  return values;
}

}  // namespace OMNIMEANS_KERNELS
}  // namespace omnimeans

int main(int, char** given) {
  using namespace omnimeans::OMNIMEANS_KERNELS;
  const long n = std::atol(given[3]), d = std::atol(given[4]), k = std::atol(given[5]);
  const auto X = read(given[1], n * d), C = read(given[2], k * d);
  std::vector<std::int32_t> labels(n + omnimeans::kMaxTile);
  double best = 1e300;
  for (int run = 0; run < RUNS; ++run) {
    const double seconds = pass(X, C, n, d, k, labels);
    if (seconds < best) best = seconds;
  }
  long sum = 0;
  for (long i = 0; i < n; ++i) sum += labels[i];
  std::printf("{\"seconds\": %.9f, \"labels\": %ld}\n", best, sum);
}
