// Nearest centres through groups of them: for so many centres that a row cannot look at them all.
//
// Centres that follow each other form a group with a middle.  By the triangle inequality no centre
// of a group is nearer to a row than |x - middle| - radius, so the groups beyond the best distance
// found so far need no look, and the answer is exact; with many features hardly a group lies so far
// away.  Or a row looks at the groups of its nearest middles only: then it may miss its nearest
// centre (D. Nistér and H. Stewénius, "Scalable recognition with a vocabulary tree", CVPR 2006).
#pragma once

#include <cstdint>
#include <vector>

#include "rows.hpp"
#include "store.hpp"
#include "table.hpp"

namespace omnimeans {

// Centres in groups, ready for rows to look at; groups without centres are left out.
template <typename T>
struct Groups {
  const T* centers;  // (k, d); those of group g begin at starts[g], and end where the next begin
  std::int64_t d;
  Metric metric;
  const std::int32_t* names;  // (k,) their labels, ascending in each group; null: in their order
  std::vector<std::int64_t> starts;     // (count + 1,)
  std::vector<double> radius;           // (count,) the farthest centre's distance from the middle
  std::vector<Screen> screens;          // (count,)
  std::vector<OwnFrame<T>> frames;      // (count,)
  std::vector<Table<T>> table;          // one: of the middles

  // `middles` holds one for each of the `count` groups.
  Groups(const T* centers, std::int64_t d, const std::int64_t* starts, const T* middles,
         std::int64_t count, Metric metric, int threads, const std::int32_t* names = nullptr);
  std::int64_t count() const { return static_cast<std::int64_t>(radius.size()); }
};

// Writes the centre nearest to each row: of all centres, if `probes` is 0, else of those in as many
// groups, the ones with the nearest middles.  Returns how many distances to centres were computed.
template <typename T>
std::int64_t nearest_in_groups(const Matrix<T>& x, const Groups<T>& groups, std::int64_t probes,
                               std::int32_t* labels, int threads);

// The sums (k, 2, d + 1) of the clusters as they are labelled, with no copy for each thread.
template <typename T>
std::vector<std::int64_t> label_sums(const Matrix<T>& x, const double* weights,
                                     const std::int32_t* labels, std::int64_t k, const Magic& grid,
                                     int threads);

}  // namespace omnimeans
