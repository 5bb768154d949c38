#include "pool.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace omnimeans {

bool (*interrupt_requested)() = nullptr;

namespace {

class Pool {
 public:
  void run(int threads, const std::function<void(int)>& work) {
    std::unique_lock<std::mutex> mine(taken_, std::try_to_lock);
    if (!mine) return work(0);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      grow(threads - 1);
      work_ = &work;
      helpers_ = running_ = std::min(threads - 1, size_);
      ++round_;
    }
    wake_.notify_all();
    work(0);
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return running_ == 0; });
    work_ = nullptr;
  }

 private:
  void grow(int size) {
    for (; size_ < size; ++size_) {
      try {
        std::thread([this, index = size_, round = round_] { serve(index, round); }).detach();
      } catch (const std::system_error&) {
        return;  // the system gives no more threads: go on with those there are
      }
    }
  }

  void serve(int index, std::uint64_t round) {
    for (;;) {
      const std::function<void(int)>* work;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return round_ != round; });
        round = round_;
        if (index >= helpers_) continue;
        work = work_;
      }
      (*work)(index + 1);
      std::lock_guard<std::mutex> lock(mutex_);
      if (--running_ == 0) done_.notify_one();
    }
  }

  std::mutex taken_;  // held by the call that uses the pool
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_, done_;
  const std::function<void(int)>* work_ = nullptr;
  int size_ = 0, helpers_ = 0, running_ = 0;
  std::uint64_t round_ = 0;
};

// Never destroyed: its threads sleep until the process ends.
std::atomic<Pool*> current{nullptr};

Pool& pool() {
  static const bool ready = [] {
    current = new Pool;
#if defined(__unix__) || defined(__APPLE__)
    // The parent's threads and locks mean nothing in a forked child: start afresh there.
    pthread_atfork(nullptr, nullptr, [] { current = new Pool; });
#endif
    return true;
  }();
  (void)ready;
  return *current;
}

}  // namespace

void run_on_pool(int threads, const std::function<void(int)>& work) { pool().run(threads, work); }

}  // namespace omnimeans
