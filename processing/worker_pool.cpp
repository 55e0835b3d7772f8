// SPDX-License-Identifier: Apache-2.0
#include "processing/worker_pool.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace eventweft::processing {

// Shared with every thread, so that one that comes back late finds it.
struct worker_pool::core : std::enable_shared_from_this<core> {
  struct assignment {
    uint64_t id;
    task what;
    std::stop_source stop;
  };

  core(size_t n, size_t most, std::function<void()> f)
      : max_lost(most), freed(std::move(f)), idle(n) {}

  /// With the mutex held.
  void start_thread() {
    const auto number = ++last_thread;
    ++alive;
    threads.emplace(number, std::thread{[me = shared_from_this(), number] {
                      me->work(number);
                    }});
  }

  void work(uint64_t number) {
    std::unique_lock lock{mutex};
    while (true) {
      ++asleep;
      wake.wait(lock, [this] { return stopping || !queue.empty(); });
      --asleep;
      if (stopping)
        break;
      auto mine = std::move(queue.front());
      queue.pop_front();
      running.emplace(mine.id, mine.stop);
      lock.unlock();
      mine.what(mine.stop.get_token());
      // Whatever it holds goes here, not under the mutex.
      mine.what = nullptr;
      lock.lock();
      if (running.erase(mine.id) == 0) {
        --lost;
        // Somebody else has its place by now.
        if (replaced.erase(mine.id) > 0)
          break;
      }
      ++idle;
      call_freed(lock);
    }
    --alive;
    if (const auto me = threads.find(number); me != threads.end()) {
      finished.push_back(std::move(me->second));
      threads.erase(me);
    }
    ended.notify_all();
  }

  void call_freed(std::unique_lock<std::mutex>& lock) {
    if (stopping || !freed)
      return;
    const auto f = freed;
    lock.unlock();
    f();
    lock.lock();
  }

  void join_finished(std::unique_lock<std::mutex>& lock) {
    while (!finished.empty()) {
      auto t = std::move(finished.back());
      finished.pop_back();
      lock.unlock();
      t.join();
      lock.lock();
    }
  }

  const size_t max_lost;
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable ended;
  std::function<void()> freed;
  std::deque<assignment> queue;
  std::map<uint64_t, std::stop_source> running;
  /// Lost ones whose place was given to others.
  std::set<uint64_t> replaced;
  std::map<uint64_t, std::thread> threads;
  std::vector<std::thread> finished;
  /// Places that are free; threads are made when they are needed.
  size_t idle;
  size_t asleep = 0;
  size_t lost = 0;
  size_t alive = 0;
  uint64_t last_thread = 0;
  bool stopping = false;
};

worker_pool::worker_pool(size_t workers, size_t max_lost,
                         std::function<void()> freed)
    : core_(std::make_shared<core>(workers, max_lost, std::move(freed))) {}

worker_pool::~worker_pool() {
  auto& c = *core_;
  std::unique_lock lock{c.mutex};
  c.stopping = true;
  c.freed = nullptr;
  c.queue.clear();
  for (auto& [id, stop] : c.running)
    stop.request_stop();
  c.wake.notify_all();
  c.ended.wait_for(lock, grace, [&c] { return c.alive == 0; });
  c.join_finished(lock);
  for (auto& [number, thread] : c.threads)
    thread.detach();
  c.threads.clear();
}

bool worker_pool::run(uint64_t id, task what) {
  auto& c = *core_;
  std::unique_lock lock{c.mutex};
  if (c.stopping || c.idle == 0)
    return false;
  c.join_finished(lock);
  --c.idle;
  c.queue.push_back({id, std::move(what), std::stop_source{}});
  if (c.asleep < c.queue.size())
    c.start_thread();
  else
    c.wake.notify_one();
  return true;
}

void worker_pool::abandon(uint64_t id) {
  auto& c = *core_;
  std::unique_lock lock{c.mutex};
  const auto found = c.running.find(id);
  if (found == c.running.end()) {
    // Not begun yet, perhaps.
    c.idle +=
        std::erase_if(c.queue, [id](const auto& a) { return a.id == id; });
    return;
  }
  auto stop = std::move(found->second);
  c.running.erase(found);
  std::function<void()> freed;
  if (++c.lost <= c.max_lost && !c.stopping) {
    c.replaced.insert(id);
    ++c.idle;
    freed = c.freed;
  }
  lock.unlock();
  if (freed)
    freed();
  // Runs callbacks of the handler's.
  stop.request_stop();
}

runner::counts worker_pool::state() const {
  auto& c = *core_;
  std::lock_guard lock{c.mutex};
  return {c.idle, c.running.size() + c.queue.size(), c.lost};
}

} // namespace eventweft::processing
