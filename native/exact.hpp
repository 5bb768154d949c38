// The grid on which sums are exact; see src/omnimeans/_sums.py for the idea.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace omnimeans {

// Bits of a word; adding 1.5 * 2^52 steps leaves room for no more.
inline constexpr int kMaxBits = 50;

// Adding 1.5 * 2^52 steps to a value and taking them off again rounds it to a whole number of
// steps; the low bits of the sum are that number.
struct Magic {
  std::vector<double> high, low;  // (d + 1,) the last is for the weight
  int bits = 0;
  std::vector<std::int64_t> exponents;

  Magic() = default;
  Magic(const std::int64_t* exponent, std::int64_t columns, int bits_)
      : high(columns), low(columns), bits(bits_), exponents(exponent, exponent + columns) {
    for (std::int64_t f = 0; f < columns; ++f) {
      high[f] = std::ldexp(1.5, static_cast<int>(exponent[f]) + 52);
      low[f] = std::ldexp(1.5, static_cast<int>(exponent[f]) - bits + 52);
    }
  }
  std::int64_t columns() const { return static_cast<std::int64_t>(high.size()); }
};

}  // namespace omnimeans
