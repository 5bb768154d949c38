// The arithmetic of boxes and of the rows in them: eight centres, or eight rows, at a time.
#include "boxes.hpp"

namespace omnimeans::OMNIMEANS_KERNELS {
namespace {

typedef double Vec8 __attribute__((vector_size(64)));
typedef std::int64_t IVec8 __attribute__((vector_size(64)));

template <Metric M>
inline Vec8 term(Vec8 difference) {
  if constexpr (M == Metric::euclidean) {
    return difference * difference;
  } else {
    return (Vec8)((IVec8)difference & INT64_MAX);
  }
}
template <Metric M>
inline double term(double difference) {
  return M == Metric::euclidean ? difference * difference : __builtin_fabs(difference);
}

// A box, a centre to beat and some others.
template <typename T>
struct Contest {
  const double *low, *high;
  std::int64_t d;
  const T* centers;
  std::int32_t rival;
  const std::int32_t* list;
  std::int64_t count;
  double *lead, *away;
};

template <Metric M, int D, typename T>
void leads_sized(const Contest<T>& contest) {
  const std::int64_t d = D ? D : contest.d, count = contest.count;
  const double *low = contest.low, *high = contest.high;
  double from_low[D ? D : kMaxTreeFeatures], from_high[D ? D : kMaxTreeFeatures];
  double middle[D ? D : kMaxTreeFeatures];
  double size = 0;  // the farthest that any point of the box is from the rival
  for (std::int64_t f = 0; f < d; ++f) {
    const double c = contest.centers[contest.rival * d + f];
    const double a = from_low[f] = term<M>(low[f] - c), b = from_high[f] = term<M>(high[f] - c);
    middle[f] = 0.5 * low[f] + 0.5 * high[f];
    size += a > b ? a : b;
  }
  const double rounding = static_cast<double>(d + 16) * 0x1p-51;
  for (std::int64_t m = 0; m < count; m += 8) {
    const T* c[8];
    for (std::int64_t lane = 0; lane < 8; ++lane) {
      c[lane] = contest.centers + contest.list[m + lane < count ? m + lane : count - 1] * d;
    }
    // In each feature, what a centre is farther than the rival is least at an end of the box.
    Vec8 farther = {}, sizes = Vec8{} + size, away = {};
    for (std::int64_t f = 0; f < d; ++f) {
      Vec8 at;
      for (int lane = 0; lane < 8; ++lane) at[lane] = static_cast<double>(c[lane][f]);
      const Vec8 a = term<M>(low[f] - at), b = term<M>(high[f] - at);
      const Vec8 more_low = a - from_low[f], more_high = b - from_high[f];
      farther += more_low < more_high ? more_low : more_high;
      sizes += a > b ? a : b;
      away += term<M>(middle[f] - at);
    }
    // For squares p and q of distances, p - q is (their difference) * (their sum), and that sum is
    // no more than the root of 2 (p + q).
    const Vec8 rest = farther - kBoxSlack * sizes, sure = rest > 0.0 ? rest : Vec8{};
    const Vec8 lead = M == Metric::euclidean ? sure * (sure / sizes) : sure;
    const Vec8 result = farther > rounding * sizes ? lead : Vec8{} - 1.0;
    const std::int64_t some = count - m < 8 ? count - m : 8;
    __builtin_memcpy(contest.lead + m, &result, some * sizeof(double));
    __builtin_memcpy(contest.away + m, &away, some * sizeof(double));
  }
}

// D of eight rows at a time, one to a lane; `rows` holds them feature by feature.
template <Metric M, int D, typename T>
inline Vec8 distance_of_eight(const Vec8* rows, const T* c, std::int64_t d) {
  Vec8 s[8] = {};
  const std::int64_t features = D ? D : d;
  for (std::int64_t f = 0; f < features; ++f) {
    const Vec8 difference = rows[f] - static_cast<double>(c[f]);
    s[f % 8] += term<M>(difference);
  }
  if constexpr (D == 1) return s[0];
  if constexpr (D == 2) return s[0] + s[1];
  if constexpr (D == 3) return (s[0] + s[2]) + s[1];
  if constexpr (D == 4) return (s[0] + s[2]) + (s[1] + s[3]);
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

// Some of the rows x, and some centres.
template <typename T>
struct Search {
  const T* x;
  const std::int32_t* which;
  std::int64_t rows, d;
  const T* centers;
  const std::int32_t* list;
  std::int64_t count;
  std::int32_t* labels;
  double *closest, *second;
};

template <Metric M, int D, typename T>
void nearest_sized(const Search<T>& search) {
  const std::int64_t d = search.d;
  Vec8 eight[D ? D : kMaxTreeFeatures];
  for (std::int64_t i = 0; i < search.rows; i += 8) {
    const std::int64_t some = search.rows - i < 8 ? search.rows - i : 8;
    for (std::int64_t f = 0; f < d; ++f) {
      for (std::int64_t lane = 0; lane < 8; ++lane) {
        eight[f][lane] = search.x[search.which[i + (lane < some ? lane : 0)] * d + f];
      }
    }
    Vec8 closest = Vec8{} + __builtin_inf(), second = closest;
    IVec8 nearest = IVec8{} + search.list[0];
    for (std::int64_t m = 0; m < search.count; ++m) {
      const std::int32_t j = search.list[m];
      const Vec8 away = distance_of_eight<M, D>(eight, search.centers + j * d, d);
      const IVec8 nearer = away < closest;
      const Vec8 loser = nearer ? closest : away;
      second = loser < second ? loser : second;
      nearest = nearer ? IVec8{} + j : nearest;
      closest = nearer ? away : closest;
    }
    __builtin_memcpy(search.closest + i, &closest, sizeof closest);
    __builtin_memcpy(search.second + i, &second, sizeof second);
    for (std::int64_t lane = 0; lane < some; ++lane) {
      search.labels[i + lane] = static_cast<std::int32_t>(nearest[lane]);
    }
  }
}

// Calls act<M, D>() for this metric and number of features; D is 0 where there are more than four.
template <class Act>
void sized(Metric metric, std::int64_t d, Act act) {
  const auto with = [&]<Metric M>() {
    switch (d) {
      case 1: return act.template operator()<M, 1>();
      case 2: return act.template operator()<M, 2>();
      case 3: return act.template operator()<M, 3>();
      case 4: return act.template operator()<M, 4>();
      default: return act.template operator()<M, 0>();
    }
  };
  metric == Metric::euclidean ? with.template operator()<Metric::euclidean>()
                              : with.template operator()<Metric::manhattan>();
}

template <typename T>
void leads(const double* low, const double* high, std::int64_t d, const T* centers,
           std::int32_t rival, const std::int32_t* list, std::int64_t count, Metric metric,
           double* lead, double* away) {
  const Contest<T> contest{low, high, d, centers, rival, list, count, lead, away};
  sized(metric, d, [&]<Metric M, int D>() { leads_sized<M, D>(contest); });
}

template <typename T>
void nearest(const T* x, const std::int32_t* which, std::int64_t rows, std::int64_t d,
             const T* centers, const std::int32_t* list, std::int64_t count, Metric metric,
             std::int32_t* labels, double* closest, double* second) {
  const Search<T> search{x, which, rows, d, centers, list, count, labels, closest, second};
  sized(metric, d, [&]<Metric M, int D>() { nearest_sized<M, D>(search); });
}

}  // namespace

const BoxTables& box_kernels() {
  static constexpr BoxTables table = {{leads<float>, nearest<float>},
                                      {leads<double>, nearest<double>}};
  return table;
}

}  // namespace omnimeans::OMNIMEANS_KERNELS
