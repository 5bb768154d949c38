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
      open_ = std::min(threads - 1, size_);
    }
    wake_.notify_all();
    work(0);
    std::unique_lock<std::mutex> lock(mutex_);
    open_ = 0;  // nobody begins any more: waking up may take longer than the work
    done_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  void grow(int size) {
    for (; size_ < size; ++size_) {
      try {
        std::thread([this] { serve(); }).detach();
      } catch (const std::system_error&) {
        return;  // the system gives no more threads: go on with those there are
      }
    }
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return open_ > 0; });
      const auto* work = work_;
      const int worker = open_--;
      ++running_;
      lock.unlock();
      (*work)(worker);
      lock.lock();
      if (--running_ == 0) done_.notify_one();
    }
  }

  std::mutex taken_;  // held by the call that uses the pool
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_, done_;
  const std::function<void(int)>* work_ = nullptr;
  int size_ = 0;     // threads
  int open_ = 0;     // workers that may still begin, numbered from 1
  int running_ = 0;  // workers that have begun, beside the calling thread
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
