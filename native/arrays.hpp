// Arrays between Python and the core: their types, and the checks that all bindings share.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "rows.hpp"

namespace omnimeans {

namespace nb = nanobind;

// An array whose values lie where the processor expects them; others are refused.
template <class Array>
struct Aligned : Array {
  Aligned() = default;
  explicit Aligned(Array array) : Array(std::move(array)) {}
  bool holds() const {
    return reinterpret_cast<std::uintptr_t>(this->data()) % alignof(typename Array::Scalar) == 0;
  }
};

// Arrays are never converted on the way in: a copy would not outlive the call.
template <typename T>
using In2 = Aligned<nb::ndarray<const T, nb::ndim<2>, nb::device::cpu>>;
template <typename T>
using In1 = Aligned<nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>>;
template <typename T>
using InC = Aligned<nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>>;
using Labels = Aligned<nb::ndarray<std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>>;
using MaybeWeights = std::optional<In1<double>>;

template <typename T>
using Out = nb::ndarray<nb::numpy, T>;

template <typename T>
Out<T> new_array(std::initializer_list<std::size_t> shape) {
  std::size_t size = 1;
  for (const std::size_t extent : shape) size *= extent;
  T* data = new T[size]();
  nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<T*>(p); });
  return Out<T>(data, shape.size(), shape.begin(), owner);
}

template <typename T>
Out<T> copy_of(const std::vector<T>& values, std::initializer_list<std::size_t> shape) {
  Out<T> out = new_array<T>(shape);
  std::copy(values.begin(), values.end(), out.data());
  return out;
}

inline void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

template <typename T>
Matrix<T> matrix(const In2<T>& x) {
  require(x.shape(0) > 0 && x.shape(1) > 0, "the matrix is empty");
  require(x.shape(1) == 1 || x.stride(1) == 1, "the values of a row must be contiguous");
  return {x.data(), static_cast<std::int64_t>(x.shape(0)), static_cast<std::int64_t>(x.shape(1)),
          x.stride(0)};
}

inline int some(int threads) {
  require(threads >= 1, "at least one thread is needed");
  return std::min(threads, 1024);
}

// Whether all labels are in [low, k).
inline bool within(const std::int32_t* labels, std::size_t n, std::int64_t low, std::int64_t k) {
  return std::all_of(labels, labels + n,
                     [&](std::int32_t label) { return label >= low && label < k; });
}

// A grid that numbers can lie on.
inline void require_grid(const In1<std::int64_t>& exponents, int bits) {
  require(bits >= 0 && bits <= kMaxBits, "the grid has too many bits, or fewer than none");
  for (std::size_t f = 0; f < exponents.shape(0); ++f) {
    require(exponents(f) >= -2000 && exponents(f) <= 2000, "an exponent is out of range");
  }
}

inline const double* data_of(const MaybeWeights& weights, std::size_t n) {
  require(!weights || weights->shape(0) == n, "a weight is needed for each row");
  return weights ? weights->data() : nullptr;
}

inline Metric metric_of(const std::string& name) {
  require(name == "euclidean" || name == "manhattan", "unknown kernel");
  return name == "euclidean" ? Metric::euclidean : Metric::manhattan;
}

}  // namespace omnimeans

namespace nanobind::detail {

template <class Array>
struct type_caster<omnimeans::Aligned<Array>> {
  NB_TYPE_CASTER(omnimeans::Aligned<Array>, make_caster<Array>::Name)

  bool from_python(handle source, std::uint32_t flags, cleanup_list* cleanup) noexcept {
    make_caster<Array> caster;
    if (!caster.from_python(source, flags, cleanup)) return false;
    value = omnimeans::Aligned<Array>(std::move(caster.value));
    return value.holds();
  }
};

}  // namespace nanobind::detail
