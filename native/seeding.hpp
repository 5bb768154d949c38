// What k-means++ needs to know: each row's distance to the nearest centre so far.
//
// Most rows are farther from a new candidate than from the centres they have.  The screen finds the
// few that are not, in one pass for the candidates of several rounds; only those are measured by D,
// and kept in lists from which the rounds are then played without looking at the rows again.
//
// A row's share is its weight times its distance, in whole steps of a power of two, so that sums of
// shares are integers and do not depend on blocks or threads.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <vector>

#include "rows.hpp"

namespace omnimeans {

template <typename T>
class Seeding {
 public:
  Seeding(std::int64_t n, std::int64_t d, const double* weights, int threads);
  virtual ~Seeding() = default;

  // A row number for each ticket, drawn by share.
  void draw(const std::uint64_t* tickets, std::int64_t count, std::int64_t* out) const;
  // The distances of these rows to the nearest centre so far.
  void closest(const std::int64_t* numbers, std::int64_t count, double* out) const;
  // Looks at all rows once for these candidates (count, d).
  void meet(const T* candidates, std::int64_t count);
  // How much each of these candidates would take off all shares together.
  void worth(const std::int64_t* which, std::int64_t count, std::int64_t* out);
  // Makes a candidate a centre.
  void adopt(std::int64_t which);

  // Plays several rounds with the candidates that these tickets draw, as play_rounds in
  // src/omnimeans/init.py does; returns the rows that become centres.
  std::vector<std::int64_t> play(const std::uint64_t* tickets, const double* luck,
                                 std::int64_t count, std::int64_t trials, std::int64_t rounds);
  // Plays rounds one by one, with their tickets and luck in one row of random bits, until there are
  // k centres or no bits.
  std::vector<std::int64_t> play_each(const std::uint64_t* bits, std::int64_t count,
                                      std::int64_t trials, std::int64_t k);

  std::int64_t candidates() const { return count_; }
  std::int64_t rows() const { return n_; }
  std::int64_t columns() const { return d_; }

 protected:
  // Twelve bytes: the distance in two halves, so that nothing is lost to alignment.
  struct Nearer {
    std::uint32_t row;
    std::uint32_t away[2];
    Nearer(std::int64_t i, double distance) : row(static_cast<std::uint32_t>(i)) {
      std::memcpy(away, &distance, sizeof away);
    }
    double distance() const {
      double out;
      std::memcpy(&out, away, sizeof out);
      return out;
    }
  };
  // Grows block by block: a vector would be copied, and be twice as large meanwhile.
  using List = std::deque<Nearer>;
  // Takes down the rows that candidates win; one for each worker.
  struct Finder {
    const Seeding& self;
    std::vector<List>& found;
    std::vector<std::int64_t> gains;
    std::int64_t room;  // entries that may still be kept

    void note(std::int64_t row, std::int32_t j, double away) {
      gains[j] += self.gain(row, away);
      if (--room >= 0) found[j].emplace_back(row, away);
    }
  };

  // Copies rows out; false where this kind of rows cannot.
  virtual bool take(const std::int64_t* numbers, std::int64_t count, T* out) const {
    return (void)numbers, (void)count, (void)out, false;
  }
  // Tells the finders of every row that is nearer to a candidate than closest_, by D.
  virtual void find(std::vector<Finder>& finders) = 0;
  // Lets all rows look at a new centre, and lowers closest_.
  virtual void measure(const T* center) = 0;
  // Finds the candidate that would take most off all shares, and lowers closest_ as it does; -1 where
  // this kind of rows has no quicker way than `find`.
  virtual std::int64_t win() { return -1; }

  double weighted(std::int64_t i) const;
  std::int64_t share(std::int64_t i) const { return share_of(weighted(i)); }
  std::int64_t share_of(double value) const;
  // What is saved if the row's distance becomes `away`.
  std::int64_t gain(std::int64_t row, double away) const;
  void use_finest_steps();
  void count_shares();
  void has_adopted(bool counted);
  void list_winners();

  std::int64_t n_, d_;
  const double* weights_;
  int threads_;
  int bits_;
  double magic_ = 0;  // adding it rounds to whole steps
  std::int64_t centers_ = 0;
  std::vector<double> closest_;       // (n,) distance to the nearest centre
  std::vector<std::int64_t> blocks_;  // shares of the rows of each block
  std::int64_t total_ = 0;            // shares of all rows
  std::vector<T> candidates_;
  std::int64_t count_ = 0;
  std::vector<std::int64_t> gains_;  // of each candidate, when it was met
  // For each worker and candidate, the rows that it would win.  The lists are incomplete when they
  // grew too long, as they do for the first few centres.
  std::vector<std::vector<List>> found_;
  bool listed_ = false;
  bool current_ = false;  // no centre was added since the candidates were met
};

// The seeding of plain rows.
template <typename T>
class RowsSeeding final : public Seeding<T> {
 public:
  using typename Seeding<T>::Finder;
  RowsSeeding(const Rows<T>& rows, int threads)
      : Seeding<T>(rows.matrix().n, rows.matrix().d, rows.weights(), threads), rows_(rows) {}

 private:
  bool take(const std::int64_t* numbers, std::int64_t count, T* out) const override;
  void find(std::vector<Finder>& finders) override;
  void measure(const T* center) override;
  std::int64_t win() override;  // in contest.cpp
  struct Met;
  struct Contest;

  const Rows<T>& rows_;
};

}  // namespace omnimeans
