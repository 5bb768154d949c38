// Assignment by the screen in eight bits: what it cannot rule out is decided by D.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "assigner.hpp"
#include "codes.hpp"
#include "duel.hpp"

namespace omnimeans {

// Like Assigner, with rows and centres in eight bits.
template <typename T, class Sink>
class CodeAssigner {
 public:
  CodeAssigner(const Matrix<T>& x, const T* centers, const Codes& codes,
               const CodedCenters& coded, Frame<T> frame, Sink& sink)
      : x_(x), centers_(centers), codes_(codes), coded_(coded), frame_(frame), sink_(sink),
        block_(kCodeRows * codes.stride), scores_(static_cast<std::size_t>(kCodeRows) * coded.padded),
        reached_(static_cast<std::size_t>(kCodeRows) * coded.padded), away_(coded.padded) {}

  void assign(Chosen chosen) {
    for (std::int64_t m = 0; m < chosen.count; m += kCodeRows) {
      const int count = static_cast<int>(std::min<std::int64_t>(kCodeRows, chosen.count - m));
      const std::uint8_t* block;
      if (!chosen.list && count == kCodeRows) {
        block = codes_.row(chosen[m]);
      } else {
        for (int i = 0; i < kCodeRows; ++i) {  // the last row stands in for those that are missing
          std::memcpy(block_.data() + i * codes_.stride,
                      codes_.row(chosen[m + std::min(i, count - 1)]), codes_.stride);
        }
        block = block_.data();
      }
      float inverse[kCodeRows], far[kCodeRows], best[kCodeRows];
      for (int i = 0; i < kCodeRows; ++i) {
        const std::int64_t row = chosen[m + std::min(i, count - 1)];
        inverse[i] = codes_.inverse[row];
        far[i] = codes_.far[row];
      }
      screen_.scores(coded_, block, codes_.stride, inverse, far, scores_.data(), best);
      for (int i = 0; i < count; ++i) {
        decide(chosen[m + i], scores_.data() + static_cast<std::size_t>(i) * coded_.padded,
               inverse[i], far[i], best[i]);
      }
      compare();
    }
  }

  std::int64_t decided() const { return decided_; }

 private:
  // A row that several centres may be nearest to: some of the numbers in `reached_`.
  struct Doubt {
    std::int64_t row;
    int found;
    float beyond;  // no other centre is nearer
  };

  void decide(std::int64_t row, const float* scores, float inverse, float far, float best) {
    if (!std::isfinite(best)) return compare_all(row);  // a row or a centre beyond float32
    // D itself is rounded, which counts where a row is very far from all centres.
    const float away_from_all = far + codes_.residual;
    const float rounded =
        (x_.d / 8.0f + 8) * 0x1p-50f * away_from_all * away_from_all / inverse;
    // A first guess of the threshold, by the widest doubt of all centres, then by the best one's.
    const float widest = (coded_.tallest + coded_.widest * far + coded_.deepest * inverse) * 1.001f + rounded;
    std::int32_t* reached = reached_.data() + static_cast<std::size_t>(doubts_) * coded_.padded;
    int found = screen_.reaching(scores, coded_.padded, best - 2 * widest, reached);
    if (found == 0) return compare_all(row);  // NaN
    const int ahead = *std::max_element(reached, reached + found, [&](int a, int b) {
      return scores[a] < scores[b] || (scores[a] == scores[b] && a > b);
    });
    const float threshold = best - 2 * (coded_.doubt(ahead, inverse, far) + rounded);
    found = static_cast<int>(std::remove_if(reached, reached + found,
                                            [&](int j) { return scores[j] < threshold; }) -
                             reached);
    if (found == 0) return compare_all(row);  // NaN
    if (found == 1) {
      if (!sink_.ranged()) return sink_.one(row, ahead, 0, 0);
      const float others = screen_.others(scores, coded_.padded, ahead);
      return sink_.one(row, ahead, beyond(row, others, inverse), within(row, threshold, inverse));
    }
    const char* values = reinterpret_cast<const char*>(x_.row(row));
    const std::size_t bytes = x_.d * sizeof(T);
    for (std::size_t byte = 0; byte < bytes; byte += 64) __builtin_prefetch(values + byte);
    doubt_[doubts_++] = {row, found, beyond(row, threshold, inverse)};
  }

  // Decides the rows in doubt, whose values have been fetched meanwhile.
  void compare() {
    for (int m = 0; m < doubts_; ++m) {
      const auto& [row, found, rest] = doubt_[m];
      const std::int32_t* reached = reached_.data() + static_cast<std::size_t>(m) * coded_.padded;
      exact_for<T>().chosen(x_.row(row), centers_, reached, found, x_.d, away_.data());
      Duel duel;
      for (int c = 0; c < found; ++c) duel.meet(reached[c], away_[c]);
      decided(row, duel, rest);
    }
    doubts_ = 0;
  }

  void compare_all(std::int64_t row) {
    Duel duel;
    for (int j = 0; j < coded_.k; ++j) duel.meet(j, away(row, j));
    decided(row, duel, std::numeric_limits<float>::infinity());
  }

  void decided(std::int64_t row, const Duel& duel, float rest) {
    ++decided_;
    sink_.one(row, duel.nearest, duel.lower(rest, Metric::euclidean, frame_.scale),
              duel.upper(Metric::euclidean, frame_.scale));
  }

  double away(std::int64_t row, std::int64_t j) const {
    return exact_for<T>().distance(x_.row(row), centers_ + j * x_.d, x_.d, Metric::euclidean);
  }

  // How near a centre with this raised score may be.
  float beyond(std::int64_t row, float score, float inverse) const {
    const float square = codes_.square[row];
    const float least = square * (1 - 0x1p-18f) - 2 * score / inverse;
    return least > 0 ? std::sqrt(least) * (1 - 0x1p-20f) : 0.0f;
  }

  // How far a centre whose score is at least this may be.
  float within(std::int64_t row, float score, float inverse) const {
    const float most = codes_.square[row] * (1 + 0x1p-18f) - 2 * score / inverse;
    return most > 0 ? std::sqrt(most) * (1 + 0x1p-20f) : 0.0f;
  }

  const Matrix<T>& x_;
  const T* centers_;
  const Codes& codes_;
  const CodedCenters& coded_;
  Frame<T> frame_;
  Sink& sink_;
  const CodeScreen& screen_ = *code_screen();
  std::vector<std::uint8_t> block_;
  std::vector<float> scores_;
  std::vector<std::int32_t> reached_;  // (kCodeRows, padded)
  std::vector<double> away_;
  Doubt doubt_[kCodeRows];
  int doubts_ = 0;
  std::int64_t decided_ = 0;
};

}  // namespace omnimeans
