// What an instruction set's kernels offer to the rest of the core.
//
// The kernels are split in two.  `screen` works in float32, as fast as the machine allows, and only
// proposes: for each row it names a nearest centre and proves it, or admits doubt.  `exact` works
// in float64 by one fixed sequence of operations, so it gives the same bits on every machine, and
// decides whatever is in doubt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace omnimeans {

enum class Metric { euclidean, manhattan };

// The largest number of rows that any kernel takes at a time.
inline constexpr int kMaxTile = 64;
// What is sure about a row: its own centre is no farther than `upper`, every other one no nearer
// than `lower`; in the frame, not squared.
struct Ranges {
  float upper[kMaxTile], lower[kMaxTile];
};

// Vectors grow here, in code for every processor: a function of the standard library compiled for
// one instruction set may serve the whole program.
void make_room(std::vector<float>& values, std::size_t size);

// Centres prepared for screening: shifted, scaled, in float32, in the kernels' own order.
struct Screen {
  Metric metric;
  int k = 0, d = 0;
  int features = 0;           // of a tile: d, or one more (see `guarded`)
  // Centres of very different size: each score is raised by the error bound of its own centre, so
  // that a far centre's bound does not cast doubt on the near ones.  The bound's row-dependent part
  // is one more feature.
  bool guarded = false;
  int tile = 0;               // rows that the kernel takes at a time
  int strip = 0;              // features that it takes at a time
  int value_bytes = 4;        // of a feature of the rows as they are given
  std::size_t floats = 0;     // room that a tile needs, work space included
  bool few = false;            // centres of many features, which rows meet as they lie
  bool grouped = false;        // many centres of few features, which compete in groups
  // The centres once more: row by row where they are few, and grouped feature by feature.
  std::vector<float> other;
  std::vector<float> packed;  // groups of centres, feature by feature
  // (k,) what a score starts from: minus half the squared norm, or 0; minus infinity for a centre
  // that is not to win, and for what fills up the last group.
  std::vector<float> start;
  std::vector<float> norms;   // (k,)
  float reach = 0;            // the largest norm

  // A tile is one strip of the rows' features and nothing else.
  bool whole() const { return strip == features && features == d; }
};

// The shift and scale that bring rows near zero: (x - offset) * scale.
template <typename T>
struct Frame {
  const T* offset;  // (d,)
  T scale;          // a power of two
};

template <typename T>
struct ScreenKernels {
  // Prepares the centres (k, d).
  void (*prepare)(Screen&, const T* centers, std::int64_t k, std::int64_t d, Metric, Frame<T>);
  // Brings screen.tile rows into `tile`: (d, screen.tile), then their norms, then work space.
  void (*pack)(const Screen&, const T* const* rows, Frame<T>, float* tile);
  // Nearest centre of each of screen.tile rows, with `tile` as work space, or as packed before where
  // `rows` is null (and screen.whole()); returns a bit for each
  // row that stays in doubt, with the score that a centre must reach to be a candidate in
  // `threshold`.  `ahead` may point to the rows of the next tile, which are fetched meanwhile.  The
  // ranges of the rows are written down if asked for; for a row in doubt, `upper` is where every
  // centre begins that is no candidate.
  std::uint64_t (*propose)(const Screen&, const T* const* rows, Frame<T>, float* tile,
                           const void* ahead, std::int32_t* labels, float* threshold, Ranges*);
};

// Called for centre `j` with the rows of the tile (a bit each) that may belong to it.
typedef void (*FoundCenter)(void* context, std::int32_t j, std::uint64_t rows);

struct Kernels {
  const char* name;
  ScreenKernels<float> screen_f32;
  ScreenKernels<double> screen_f64;

  // Which of up to 64 rows (a bit each) have no more room than `tiny`: the room of a row is
  // (lower - upper) less what its cluster has used up.  `least` gets the smallest.
  std::uint64_t (*cramped)(const float* lower, const float* upper, const std::int32_t* labels,
                           const float* used, int count, float tiny, float* least);
  // The threshold for `candidates` that finds every centre nearer to a row than `closest`.
  void (*reach)(const Screen&, const float* tile, const float* closest, float* threshold);
  // Reports every centre whose score reaches the threshold of one of `rows` (a bit each), in order.
  void (*candidates)(const Screen&, float* tile, const void* ahead, const float* threshold,
                     std::uint64_t rows, FoundCenter found, void* context);
  // For each centre (not guarded), how much nearer than `closest` the rows of a packed tile are to
  // it, times their weights: adds a sum that is never too small, and by no more than what is added to
  // `slack` too large, but for the rounding of additions.  Tells (a bit each) which rows may be.
  void (*weigh)(const Screen&, float* tile, const float* closest, const float* weights,
                double* sums, double* slack, std::uint64_t* rows);
};

// Whole numbers as wide as values, so that one vector counts what another compares.
template <typename T>
using Counted = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

struct Magic;  // rounding constants of the grid, see exact.hpp

template <typename T>
struct ExactKernels {
  // D: the distance that decides; float64, eight lanes, one order of summation.
  double (*distance)(const T* x, const T* c, std::int64_t d, Metric);
  // The same from one row to `count` others, `stride` elements apart.
  void (*distances)(const T* x, const T* c, std::int64_t count, std::int64_t stride,
                    std::int64_t d, Metric, double* out);
  // The same, Euclidean, from one row to those of others that are listed by number.
  void (*chosen)(const T* x, const T* c, const std::int32_t* numbers, int count, std::int64_t d,
                 double* out);
  // The same from each of `count` rows, `stride` elements apart, to the centre of its label.
  void (*own)(const T* x, std::int64_t count, std::int64_t stride, std::int64_t d, const T* centers,
              const std::int32_t* labels, Metric, double* out);
  // Adds the row (x, 1) times `weight` to the sums of `to` and takes it out of those of `from`;
  // either may be null.
  void (*move)(const T* x, double weight, const Magic&, std::int64_t* from, std::int64_t* to);
  // Raises the (d + 1) peaks to the largest |x * weight| per column, and the largest weight.
  void (*peaks)(const T* x, double weight, std::int64_t d, double* peaks);
};

struct Exact {
  ExactKernels<float> f32;
  ExactKernels<double> f64;

  // (high * unit + low) / weight * scale, rounded once before it is scaled, or NaN where that would
  // take more than a few operations; `unit` and the scales are powers of two.
  void (*divide)(const std::int64_t* high, const std::int64_t* low, std::int64_t count, double unit,
                 double weight, const double* scale, double* out);
};

// One per instruction set, defined by the files that are compiled for it.
#define OMNIMEANS_DECLARE(isa)             \
  namespace isa {                          \
  const Kernels& screen_kernels();         \
  const Exact& exact_kernels();            \
  }
OMNIMEANS_DECLARE(baseline)
OMNIMEANS_DECLARE(avx2)
OMNIMEANS_DECLARE(avx512)
#undef OMNIMEANS_DECLARE

// The kernels in use, chosen once: the best the processor offers, or what OMNIMEANS_ISA names.
const Kernels& kernels();
const Exact& exact();
std::string offered_kernels();

template <typename T>
const ScreenKernels<T>& screen_for();
template <typename T>
const ExactKernels<T>& exact_for();

}  // namespace omnimeans
