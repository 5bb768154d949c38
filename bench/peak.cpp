// What one core can do at best: fused multiply-adds, |x - c| sums, and reading from memory.
//
// Prints one JSON object: giga operations per second (a fused multiply-add counts two, a term of
// a city-block distance three) and gigabytes per second.  Every figure is the best of several
// runs.  Compiled by bench/machine.py with -O3 -march=native.

#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <type_traits>

#if defined(__AVX512F__)
constexpr int BYTES = 64;
#elif defined(__AVX__)
constexpr int BYTES = 32;
#else
constexpr int BYTES = 16;
#endif
constexpr int FMA_CHAINS = 12;  // independent sums: enough to hide the latency on two ports
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int L1_CHAINS = 12;  // each needs two of 32 registers
#else
constexpr int L1_CHAINS = 6;  // of 16 registers
#endif
constexpr int RUNS = 15;

template <class T> struct simd;
template <> struct simd<float> {
  using values [[gnu::vector_size(BYTES)]] = float;
  using bits [[gnu::vector_size(BYTES)]] = int;
  static constexpr int magnitude = 0x7fffffff;
};
template <> struct simd<double> {
  using values [[gnu::vector_size(BYTES)]] = double;
  using bits [[gnu::vector_size(BYTES)]] = long long;
  static constexpr long long magnitude = 0x7fffffffffffffff;
};

double now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

// Keeps the compiler from working a value out beforehand or leaving it away.
template <class V> void hide(V &v) {
#if defined(__x86_64__)
  asm volatile("" : "+v"(v));
#else
  asm volatile("" : "+w"(v));
#endif
}

template <class F> double best(double work, F &&run) {
  double fastest = 1e300;
  for (int i = 0; i < RUNS; ++i) {
    const double begin = now();
    run();
    const double seconds = now() - begin;
    if (seconds < fastest) fastest = seconds;
  }
  return work / fastest / 1e9;
}

// The chains live in registers only as locals of a function of their own.
template <class T> [[gnu::noinline]] void fma_chains(long rounds) {
  using V = typename simd<T>::values;
  V a = V{} + T(0.999999), b = V{} + T(1e-6), acc[FMA_CHAINS] = {};
  hide(a), hide(b);
#pragma GCC unroll 16
  for (int j = 0; j < FMA_CHAINS; ++j) hide(acc[j]);
  for (long i = 0; i < rounds; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j < FMA_CHAINS; ++j) acc[j] = acc[j] * a + b;
  }
#pragma GCC unroll 16
  for (int j = 0; j < FMA_CHAINS; ++j) hide(acc[j]);
}

template <class T> [[gnu::noinline]] void l1_chains(long rounds) {
  using V = typename simd<T>::values;
  using B = typename simd<T>::bits;
  V c[L1_CHAINS] = {}, acc[L1_CHAINS] = {}, x = {};
  B mask = B{} + simd<T>::magnitude;
  hide(mask), hide(x);
#pragma GCC unroll 16
  for (int j = 0; j < L1_CHAINS; ++j) hide(c[j]), hide(acc[j]);
  for (long i = 0; i < rounds; ++i) {
    hide(x);  // "another row": the differences cannot be worked out beforehand
#pragma GCC unroll 16
    for (int j = 0; j < L1_CHAINS; ++j) acc[j] += (V)((B)(x - c[j]) & mask);
  }
#pragma GCC unroll 16
  for (int j = 0; j < L1_CHAINS; ++j) hide(acc[j]);
}

template <class T> double fma_peak(long rounds) {
  return best(2.0 * FMA_CHAINS * (BYTES / sizeof(T)) * rounds, [&] { fma_chains<T>(rounds); });
}

template <class T> double l1_peak(long rounds) {
  return best(3.0 * L1_CHAINS * (BYTES / sizeof(T)) * rounds, [&] { l1_chains<T>(rounds); });
}

double read_bandwidth() {
  using V = simd<float>::values;
  constexpr long n = 512L * 1024 * 1024 / BYTES;  // far more than any cache holds
  std::unique_ptr<V[]> memory(new V[n]);
  std::memset(static_cast<void *>(memory.get()), 1, n * sizeof(V));
  return best(double(n) * sizeof(V), [&] {
    V acc[8] = {};
    for (long i = 0; i < n; i += 8) {
#pragma GCC unroll 8
      for (int j = 0; j < 8; ++j) acc[j] += memory[i + j];
    }
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) hide(acc[j]);
  });
}

int main() {
  fma_peak<float>(3'000'000);  // let the clock settle
  std::printf(
      "{\"fma\": {\"float32\": %.2f, \"float64\": %.2f}, "
      "\"l1\": {\"float32\": %.2f, \"float64\": %.2f}, \"read\": %.2f}\n",
      fma_peak<float>(3'000'000), fma_peak<double>(3'000'000), l1_peak<float>(1'500'000),
      l1_peak<double>(1'500'000), read_bandwidth());
}
