// One look at rows before they are placed: are all values finite, how large, how far apart?
#pragma once

#include "rows.hpp"

namespace omnimeans {

struct Extent {
  bool finite = true;
  double top = 0;   // the largest absolute value
  double span = 0;  // half of the largest range of a column
};

template <typename T>
Extent survey(const Matrix<T>& x);

}  // namespace omnimeans
