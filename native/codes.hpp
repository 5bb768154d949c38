// Rows and centres in eight bits: a screen at four times float32's rate, with a proof.
//
// A row x is q / inverse + r and a centre c is scale * p + e, with whole numbers q in [-127, 127]
// (kept as q + 128, since the processor multiplies unsigned by signed) and p in [-127, 127].  Then
//   x.c * inverse = scale * (q.p)  +  r.c * inverse  +  q.e,
// the first term is exact in 32-bit integers, and by Cauchy and Schwarz the others are at most
// residual * |c| and far * |e|, where residual is the largest |r| * inverse of all rows and far is
// |q|.  A score raised by both is never below the true one, (x.c - |c|^2 / 2) * inverse; the best
// centre's score lowered by both is never above it.  So a centre whose raised score stays below
// that is not nearest: what is left is decided by D.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels.hpp"

namespace omnimeans {

inline constexpr int kCodeRows = 12;   // rows that the kernel takes at a time
inline constexpr int kCodeLanes = 16;  // centres in a vector

struct Codes {
  int d;
  std::size_t stride;                // bytes of a row
  std::vector<std::uint8_t> values;  // (n, stride)
  std::vector<float> inverse, far;   // (n,)
  std::vector<float> square;         // (n,) |x|^2 in the frame
  float residual = 0;

  Codes(std::int64_t n, std::int64_t d);
  const std::uint8_t* row(std::int64_t i) const { return values.data() + i * stride; }
};

inline constexpr float kStartSlack = 0x1p-18f;

struct CodedCenters {
  int k, padded;                     // padded to whole vectors
  int words;                         // of four codes
  std::vector<std::int8_t> panels;   // two vectors of centres at a time, word by word
  std::vector<std::int32_t> bias;    // (padded,) takes back the 128 of the rows' codes
  std::vector<float> scale, base, start, error;  // (padded,): see score() in codes.cpp
  float tallest = 0, widest = 0, deepest = 0;  // the largest base, error, and slack of a start

  CodedCenters(std::int64_t k, std::int64_t d);
  // All centres are prepared: finds the largest of everything.
  void measure();
  // Half the width of the interval that a centre's score lies in.
  float doubt(int j, float inverse, float far) const {
    return (base[j] + error[j] * far - kStartSlack * start[j] * inverse) * 1.001f;
  }
};

template <typename T>
struct CodeKernels {
  // Brings rows [begin, end) of a matrix into `codes`, which has room for them, with `work` for d
  // values; returns their largest residual.
  float (*encode)(const T* x, std::int64_t stride, std::int64_t begin, std::int64_t end, Frame<T>,
                  float floor, Codes& codes, float* work);
  // Prepares the centres [begin, end) of (k, d); `to` has room for them, `work` for d values.
  void (*prepare)(CodedCenters& to, const T* centers, std::int64_t begin, std::int64_t end, Frame<T>,
                  const Codes& codes, float* work);
};

struct CodeScreen {
  CodeKernels<float> f32;
  CodeKernels<double> f64;
  // The raised scores (kCodeRows, padded) of rows that lie `stride` bytes apart, and the best of
  // each row.
  void (*scores)(const CodedCenters&, const std::uint8_t* rows, std::size_t stride,
                 const float* inverse, const float* far, float* scores, float* best);
  // The numbers of the scores that reach a threshold; returns how many.
  int (*reaching)(const float* scores, int count, float threshold, std::int32_t* numbers);
  // The best score but for one.
  float (*others)(const float* scores, int count, std::int32_t but);
};

namespace avx512vnni {
const CodeScreen& code_kernels();
}

// The processor's code screen, or null where it has none.
const CodeScreen* code_screen();

template <typename T>
const CodeKernels<T>& codes_for();

}  // namespace omnimeans
