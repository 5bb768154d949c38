// What the bindings of stores ask about centres, and the lengths that some stores find faster.
#pragma once

#include <string>

#include "arrays.hpp"
#include "store.hpp"

namespace omnimeans {

template <typename T>
std::int64_t width_of(const Store<T>& store, const InC<T>& centers) {
  require(static_cast<std::int64_t>(centers.shape(1)) == store.d && centers.shape(0) > 0,
          "the centres need as many columns as the rows");
  return centers.shape(0);
}

template <typename T, typename U>
bool lengths_into(const Store<T>& self, InC<T> centers, const std::string& kernel,
                  nb::ndarray<U, nb::ndim<2>, nb::c_contig, nb::device::cpu> out, int threads) {
  const std::int64_t k = width_of(self, centers);
  const Metric metric = metric_of(kernel);
  require(static_cast<std::int64_t>(out.shape(0)) == self.n &&
              static_cast<std::int64_t>(out.shape(1)) == k,
          "a place is needed for each row and centre");
  nb::gil_scoped_release release;
  return self.lengths(centers.data(), k, metric, out.data(), some(threads));
}

}  // namespace omnimeans
