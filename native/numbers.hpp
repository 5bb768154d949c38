// Number types that rows come in, and how values of any of them become plain rows.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "lent.hpp"

namespace omnimeans {

struct Half {
  std::uint16_t bits;
};

// Exact: the bits move to their places in float32, whose bias differs by 112.
inline float number_of(Half half) {
  const std::uint32_t size = static_cast<std::uint32_t>(half.bits & 0x7fff) << 13;
  const std::uint32_t sign = static_cast<std::uint32_t>(half.bits & 0x8000) << 16;
  const bool finite = (half.bits & 0x7c00) != 0x7c00;
  const float value = finite ? std::bit_cast<float>(size) * 0x1p112f
                             : std::bit_cast<float>(size | 0x7f800000);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
}
template <typename S>
inline S number_of(S value) {
  return value;
}

template <typename T, typename S>
void copy_block(const S* from, std::int64_t row_step, std::int64_t column_step, std::int64_t rows,
                std::int64_t columns, T* out) {
  const auto line = [](const S* in, std::int64_t step, std::int64_t count, T* to) {
    if (step == 1) {
      for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(number_of(in[i]));
    } else {
      for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(number_of(in[i * step]));
    }
  };
  if (std::abs(column_step) <= std::abs(row_step) || rows == 1) {
    for (std::int64_t i = 0; i < rows; ++i) {
      line(from + i * row_step, column_step, columns, out + i * columns);
    }
    return;
  }
  // Column by column, some rows at a time: what is written stays in the nearest cache.
  constexpr std::int64_t some = 64, few = 16;
  T square[few][some];
  for (std::int64_t i = 0; i < rows; i += some) {
    const std::int64_t height = std::min(some, rows - i);
    for (std::int64_t f = 0; f < columns; f += few) {
      const std::int64_t width = std::min(few, columns - f);
      for (std::int64_t g = 0; g < width; ++g) {
        line(from + i * row_step + (f + g) * column_step, row_step, height, square[g]);
      }
      for (std::int64_t h = 0; h < height; ++h) {
        T* to = out + (i + h) * columns + f;
        for (std::int64_t g = 0; g < width; ++g) to[g] = square[g][h];
      }
    }
  }
}

template <typename T>
constexpr Number number_for = std::is_same_v<T, float> ? Number::f32 : Number::f64;
template <typename T>
constexpr T kLargest = std::numeric_limits<T>::max();

// Calls use(values of their type).
template <class Use>
auto typed(Number number, const void* data, Use&& use) {
  switch (number) {
    case Number::f64: return use(static_cast<const double*>(data));
    case Number::f32: return use(static_cast<const float*>(data));
    case Number::f16: return use(static_cast<const Half*>(data));
    case Number::i64: return use(static_cast<const std::int64_t*>(data));
    case Number::i32: return use(static_cast<const std::int32_t*>(data));
    case Number::i16: return use(static_cast<const std::int16_t*>(data));
    case Number::i8: return use(static_cast<const std::int8_t*>(data));
    case Number::u64: return use(static_cast<const std::uint64_t*>(data));
    case Number::u32: return use(static_cast<const std::uint32_t*>(data));
    case Number::u16: return use(static_cast<const std::uint16_t*>(data));
    default: return use(static_cast<const std::uint8_t*>(data));  // truth values are bytes, too
  }
}

inline std::int64_t size_of(Number number) {
  return typed(number, nullptr, [](auto* data) { return static_cast<std::int64_t>(sizeof *data); });
}

template <typename T>
void copy_from(const void* data, std::int64_t start, const Layout& x, std::int64_t rows,
               std::int64_t columns, T* out) {
  typed(x.number, data, [&](auto* values) {
    copy_block(values + start, x.row_step, x.column_step, rows, columns, out);
  });
}

}  // namespace omnimeans
