// From exact integers back to floating point, rounded once; and exact sums of many scalars.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "accumulator.hpp"
#include "pool.hpp"
#include "rows.hpp"

namespace omnimeans {
namespace {

typedef __int128 Wide;
typedef unsigned __int128 UWide;

Wide join(std::int64_t high, std::int64_t low, int bits) {
  return static_cast<Wide>(high) * (static_cast<Wide>(1) << bits) + low;
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

int width_of(UWide x) {
  const auto upper = static_cast<std::uint64_t>(x >> 64);
  return upper ? 64 + std::bit_width(upper) : std::bit_width(static_cast<std::uint64_t>(x));
}

// dividend / divisor as q * 2^exponent, with at least 62 bits in q.  The last bit is set if anything
// remains, so that rounding q sees on which side of a tie the quotient lies.
struct Quotient {
  std::uint64_t q;
  int exponent;
};

Quotient divide(UWide dividend, UWide divisor) {
  const int up = 127 - width_of(dividend), level = width_of(divisor);
  dividend <<= up;
  if (level <= 64) {  // counts of rows: one division by the processor
    const auto by = static_cast<std::uint64_t>(divisor) << (64 - level);
    const auto q = static_cast<std::uint64_t>(dividend / by);
    return {q | (static_cast<UWide>(q) * by != dividend), 64 - level - up};
  }
  divisor <<= 127 - level;
  std::uint64_t q = 0;
  for (int bit = 0; bit < 63; ++bit) {
    const bool fits = dividend >= divisor;
    if (fits) dividend -= divisor;
    q = q << 1 | fits;
    dividend <<= 1;
  }
  return {q | (dividend != 0), 127 - level - up - 62};
}

// x * 2^exponent; std::ldexp only where the power of two is no ordinary number.
double scaled(double x, int exponent) {
  if (exponent < -1000 || exponent > 900) return std::ldexp(x, exponent);
  return x * std::bit_cast<double>(static_cast<std::uint64_t>(1023 + exponent) << 52);
}

// sum / weight * 2^exponent, rounded once.
double quotient(Wide sum, UWide weight, int exponent) {
  if (sum == 0) return 0.0;
  const UWide size = sum < 0 ? -static_cast<UWide>(sum) : static_cast<UWide>(sum);
  const auto [q, shift] = divide(size, weight);
  const double rounded = scaled(static_cast<double>(q), exponent + shift);  // to nearest even
  return sum < 0 ? -rounded : rounded;
}

}  // namespace

void means(const std::int64_t* sums, std::int64_t k, std::int64_t columns,
           const std::int64_t* exponents, int bits, double* out, double* weights, int threads) {
  const std::int64_t d = columns - 1;
  const auto mean = [&](std::int64_t j, double* scale) {
    const std::int64_t *high = sums + 2 * columns * j, *low = high + columns;
    const Wide signed_weight = join(high[d], low[d], bits);
    if (signed_weight < 0) throw std::invalid_argument("the weight of a cluster is negative");
    UWide weight = static_cast<UWide>(signed_weight);
    int weight_exponent = static_cast<int>(exponents[d]) - bits;
    weights[j] = std::ldexp(static_cast<double>(weight), weight_exponent);
    if (weight == 0) return void(std::fill(out + j * d, out + (j + 1) * d, 0.0));
    for (; !(weight & 1); weight >>= 1) ++weight_exponent;
    const bool plain = weight < UWide{1} << 53;
    const auto exponent = [&](std::int64_t f) {
      return static_cast<int>(exponents[f]) - bits - weight_exponent;
    };
    if (plain) {
      for (std::int64_t f = 0; f < d; ++f) {
        const int power = exponent(f);
        scale[f] = power > -800 && power < 700 ? scaled(1.0, power) : kNan;
      }
      const double unit = scaled(1.0, bits);
      exact().divide(high, low, d, unit, static_cast<double>(weight), scale, out + j * d);
    }
    for (std::int64_t f = 0; f < d; ++f) {
      double& found = out[j * d + f];
      if (plain && !std::isnan(found)) continue;
      found = quotient(join(high[f], low[f], bits), weight, exponent(f));
    }
  };
  const std::int64_t grain = k / (4 * threads) + 1;
  finish(parallel(k, grain, threads, [&](int, std::int64_t begin, std::int64_t end) {
    std::vector<double> scale(d);
    for (; begin < end; ++begin) mean(begin, scale.data());
  }));
}

double exact_total(const double* values, const double* weights, std::int64_t n) {
  Total total;
  total.add(values, weights, n);
  return total.value();
}

}  // namespace omnimeans
