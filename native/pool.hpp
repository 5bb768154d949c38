// A small pool of threads, shared by all calls of the process.
//
// Only one call uses the pool at a time; a call that finds it taken works alone, on its own thread,
// so that there are never more threads at work than were asked for.  After a fork the child makes
// a pool of its own.  Results never depend on who did the work.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <vector>

namespace omnimeans {

// Thrown when the user interrupts; the signal's own exception is already set.
struct Interrupted {};

// Asked now and then, on the calling thread only; true to stop.
extern bool (*interrupt_requested)();

// How long a parallel loop goes on before it asks again; tests make it short.
inline std::atomic<std::chrono::microseconds> patience{std::chrono::milliseconds(20)};

// Runs work(worker) on up to `threads` threads, the calling one being worker 0.  Those that have not
// begun when the calling thread is done do not begin any more.
void run_on_pool(int threads, const std::function<void(int)>& work);

// Throws where the user interrupted a parallel loop.
inline void finish(bool whole) {
  if (!whole) throw Interrupted{};
}

// Hands the items [0, count) out in chunks: body(worker, begin, end).  Each worker begins with a
// stretch of its own, the same in every call, so that what it wrote last time is still in its cache;
// whoever is done helps the others.  In the end each worker calls last(worker), unless the user
// interrupted: some chunks were then left out, and false is returned.
template <class Body, class Last = void (*)(int)>
[[nodiscard]] bool parallel(
    std::int64_t count, std::int64_t grain, int threads, Body&& body, Last&& last = [](int) {}) {
  using Clock = std::chrono::steady_clock;
  struct alignas(64) Stretch {
    std::atomic<std::int64_t> next;
    std::int64_t end;
  };
  const auto pause = patience.load(std::memory_order_relaxed);
  const std::int64_t chunks = (count + grain - 1) / grain;
  threads = static_cast<int>(std::clamp<std::int64_t>(threads, 1, std::max<std::int64_t>(chunks, 1)));
  std::vector<Stretch> stretches(threads);
  for (int w = 0; w < threads; ++w) {
    stretches[w].next = chunks * w / threads * grain;
    stretches[w].end = std::min(chunks * (w + 1) / threads * grain, count);
  }
  std::atomic<bool> stopped{false};
  std::exception_ptr failure;  // of the first worker to fail: it must not end the process
  std::mutex failing;
  const auto serve = [&](int worker) {
    auto asked = Clock::now();
    for (int turn = 0; turn < threads; ++turn) {
      Stretch& stretch = stretches[(worker + turn) % threads];
      while (!stopped.load(std::memory_order_relaxed)) {
        const std::int64_t begin = stretch.next.fetch_add(grain, std::memory_order_relaxed);
        if (begin >= stretch.end) break;
        body(worker, begin, std::min(begin + grain, stretch.end));
        if (worker == 0 && interrupt_requested && Clock::now() - asked > pause) {
          if (interrupt_requested()) stopped = true;
          asked = Clock::now();
        }
      }
    }
    if (!stopped.load(std::memory_order_relaxed)) last(worker);
  };
  const auto work = [&](int worker) {
    try {
      serve(worker);
    } catch (...) {
      std::lock_guard<std::mutex> lock(failing);
      if (!failure) failure = std::current_exception();
      stopped = true;
    }
  };
  if (threads == 1) {
    work(0);
  } else {
    run_on_pool(threads, work);
  }
  if (failure) std::rethrow_exception(failure);
  return !stopped;
}

}  // namespace omnimeans
