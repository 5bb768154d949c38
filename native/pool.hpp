// A small pool of threads, shared by all calls of the process.
//
// Only one call uses the pool at a time; a call that finds it taken works alone, on its own thread,
// so that there are never more threads at work than were asked for.  After a fork the child makes
// a pool of its own.  Results never depend on who did the work.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>

namespace omnimeans {

// Thrown when the user interrupts; the signal's own exception is already set.
struct Interrupted {};

// Asked now and then, on the calling thread only; true to stop.
extern bool (*interrupt_requested)();

// How long a parallel loop goes on before it asks again; tests make it short.
inline std::atomic<std::chrono::microseconds> patience{std::chrono::milliseconds(20)};

// Runs work(worker) on up to `threads` threads, the calling one being worker 0.
void run_on_pool(int threads, const std::function<void(int)>& work);

// Throws where the user interrupted a parallel loop.
inline void finish(bool whole) {
  if (!whole) throw Interrupted{};
}

// Hands the items [0, count) out in chunks: body(worker, begin, end).  Returns false when the user
// interrupted; some chunks were then left out.
template <class Body>
[[nodiscard]] bool parallel(std::int64_t count, std::int64_t grain, int threads, Body&& body) {
  using Clock = std::chrono::steady_clock;
  const auto pause = patience.load(std::memory_order_relaxed);
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stopped{false};
  std::exception_ptr failure;  // of the first worker to fail: it must not end the process
  std::mutex failing;
  const auto serve = [&](int worker) {
    auto asked = Clock::now();
    while (!stopped.load(std::memory_order_relaxed)) {
      const std::int64_t begin = next.fetch_add(grain);
      if (begin >= count) return;
      body(worker, begin, begin + grain < count ? begin + grain : count);
      if (worker == 0 && interrupt_requested && Clock::now() - asked > pause) {
        if (interrupt_requested()) stopped = true;
        asked = Clock::now();
      }
    }
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
  const std::int64_t chunks = (count + grain - 1) / grain;
  if (threads > chunks) threads = static_cast<int>(chunks);
  if (threads <= 1) {
    work(0);
  } else {
    run_on_pool(threads, work);
  }
  if (failure) std::rethrow_exception(failure);
  return !stopped;
}

}  // namespace omnimeans
