// Exact sums of many float64 values.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace omnimeans {

// A fixed-point number as wide as float64's whole range, in digits of 32 bits
// (R. M. Neal, "Fast exact summation using small and large superaccumulators", 2015).
class Accumulator {
 public:
  void add(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const int biased = static_cast<int>(bits >> 52 & 0x7ff);
    std::uint64_t mantissa = bits & 0xfffffffffffffull;
    if (biased) mantissa |= 1ull << 52;
    const int place = std::max(biased, 1) - 1;  // the value is mantissa * 2^(place - 1074)
    const auto shifted = static_cast<unsigned __int128>(mantissa) << (place & 31);
    const std::int64_t sign = bits >> 63 ? -1 : 1;
    std::int64_t* digit = digits_ + (place >> 5);
    digit[0] += sign * static_cast<std::int64_t>(static_cast<std::uint32_t>(shifted));
    digit[1] += sign * static_cast<std::int64_t>(static_cast<std::uint32_t>(shifted >> 32));
    digit[2] += sign * static_cast<std::int64_t>(shifted >> 64);
    if (++terms_ == 1 << 30) carry();
  }

  void add(Accumulator& other) {
    carry();
    other.carry();
    for (int i = 0; i < kDigits; ++i) digits_[i] += other.digits_[i];
    terms_ = 1;
  }

  // The sum, rounded to nearest even.
  double value() {
    carry();
    const bool negative = digits_[kDigits - 1] < 0;  // all others are positive now
    if (negative) {
      for (std::int64_t& digit : digits_) digit = -digit;
      carry();
    }
    int top = kDigits - 1;
    while (top > 0 && digits_[top] == 0) --top;
    unsigned __int128 leading = 0;
    for (int i = top; i > top - 4; --i) {
      leading = leading << 32 | (i >= 0 ? static_cast<std::uint64_t>(digits_[i]) : 0);
    }
    for (int i = top - 4; i >= 0; --i) {
      if (digits_[i]) leading |= 1;
    }
    const double size = std::ldexp(static_cast<double>(leading), 32 * (top - 3) - 1074);
    return negative ? -size : size;
  }

 private:
  static constexpr int kDigits = 70;

  void carry() {
    for (int i = 0; i + 1 < kDigits; ++i) {
      const std::int64_t over = digits_[i] >> 32;
      digits_[i] -= over << 32;
      digits_[i + 1] += over;
    }
    terms_ = 0;
  }

  std::int64_t digits_[kDigits] = {};
  int terms_ = 0;
};

// The exact sum of values times weights; infinite where a product is.
class Total {
 public:
  void add(const double* values, const double* weights, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const double product = weights ? values[i] * weights[i] : values[i];
      finite_ = finite_ && std::isfinite(product);
      if (!finite_) return;
      sum_.add(product);
      if (weights) sum_.add(std::fma(values[i], weights[i], -product));
    }
  }
  void add(Total& other) {
    finite_ = finite_ && other.finite_;
    sum_.add(other.sum_);
  }
  double value() { return finite_ ? sum_.value() : std::numeric_limits<double>::infinity(); }

 private:
  Accumulator sum_;
  bool finite_ = true;
};

}  // namespace omnimeans
