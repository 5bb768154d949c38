// Below or above a pivot: the values nearest to it, as many as are needed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace omnimeans {

// Masses are numbers of rows, or weights in whole steps, which need 128 bits.
template <typename Mass>
constexpr bool kWeighted = sizeof(Mass) > 8;

template <typename T, typename Mass>
struct Item {
  T value;
  Mass mass;
  Item(T v, Mass m) : value(v), mass(m) {}
  bool operator<(const Item& other) const { return value < other.value; }
};
template <typename T>
struct Item<T, std::int64_t> {
  T value;
  static constexpr std::int64_t mass = 1;
  Item(T v, std::int64_t) : value(v) {}
  bool operator<(const Item& other) const { return value < other.value; }
};

template <typename T, typename Mass>
struct Side {
  static constexpr std::size_t kSpare = 16;   // values kept beyond twice those needed
  struct Found {
    T value;
    Mass before, mass;  // of nearer values, and of this one
  };

  Mass need = 0;  // how much mass is to be found here; 0 if none
  T sign = 1;     // values below the pivot are kept with their signs changed: less is nearer
  T bound = 0;    // no value beyond it is needed,
  Mass at = 0;    // but what lies on it counts
  std::vector<Item<T, Mass>> kept;  // nearer than the bound
  std::size_t room = 0;

  void open(Mass mass, bool above) {
    need = mass;
    sign = above ? T{1} : T{-1};
    bound = std::numeric_limits<T>::infinity();
    room = kSpare;
    if constexpr (!kWeighted<Mass>) room += 2 * static_cast<std::size_t>(mass);
    kept.reserve(room);
  }

  T value_of_bound() const { return sign * bound; }

  // Takes a value of the data; returns whether the bound came nearer.
  bool add(T value, Mass mass) { return keep({sign * value, mass}); }
  // Takes over what another worker has found on the same side.
  void join(Side& other) {
    if (other.bound < bound) std::swap(*this, other);
    if (other.bound == bound) at += other.at;
    for (const auto& item : other.kept) keep(item);
  }
  // Brings the bound to where enough mass is reached, if it is.
  void shrink() {
    std::size_t last = 0;  // the item with which enough is reached
    if constexpr (kWeighted<Mass>) {
      std::sort(kept.begin(), kept.end());
      for (Mass sum = 0; last < kept.size() && (sum += kept[last].mass) < need;) ++last;
    } else {
      last = static_cast<std::size_t>(need) - 1;
      if (last < kept.size()) std::nth_element(kept.begin(), kept.begin() + last, kept.end());
    }
    if (last < kept.size()) {
      bound = kept[last].value;
      at = 0;
      std::erase_if(kept, [this](const auto& item) {
        if (item.value == bound) at += item.mass;
        return !(item.value < bound);
      });
    }
    room = std::max(room, 2 * kept.size());
  }

  // The value with which this much is reached, at most what is needed; shrink() goes before.
  Found reach(Mass mass) {
    Mass before = 0, all = 0;
    if constexpr (kWeighted<Mass>) {  // they are in order
      for (const auto& item : kept) all += item.mass;
    } else {
      all = static_cast<Mass>(kept.size());
    }
    if (mass > all) return {value_of_bound(), all, at};
    std::size_t last = 0;
    if constexpr (kWeighted<Mass>) {
      for (Mass sum = 0; (sum += kept[last].mass) < mass;) ++last;
    } else {
      last = static_cast<std::size_t>(mass) - 1;
      std::nth_element(kept.begin(), kept.begin() + last, kept.end());
    }
    const T value = kept[last].value;
    Mass same = 0;
    for (const auto& item : kept) {
      if (item.value < value) before += item.mass;
      if (item.value == value) same += item.mass;
    }
    return {sign * value, before, same};
  }

 private:
  bool keep(Item<T, Mass> item) {
    if (item.value == bound) at += item.mass;
    if (!(item.value < bound)) return false;
    kept.push_back(item);
    if (kept.size() < room) return false;
    const T before = bound;
    shrink();
    return bound != before;
  }
};

}  // namespace omnimeans
