// SPDX-License-Identifier: Apache-2.0
#include "app/threads_bridge.hpp"

#include "correlation/keys.hpp"

#include <utility>

namespace eventweft {

namespace {

/// Reads that may wait.
constexpr size_t max_jobs = 256;

} // namespace

expected<std::optional<uuid>> find_thread(thread_store& store,
                                          const std::string& which) {
  if (const auto id = uuid::parse(which))
    if (auto found = store.thread_of(*id); !found || *found)
      return found;
  const auto key = correlation::normalise_key(which);
  if (!key)
    return std::nullopt;
  auto found = store.thread_of(*key);
  // "octo/repo#12" reads as a pull request; it may be an issue.
  constexpr std::string_view pr = "github:pr:";
  if (found && !*found && key->starts_with(pr))
    return store.thread_of("github:issue:" + key->substr(pr.size()));
  return found;
}

threads_bridge::threads_bridge(std::unique_ptr<thread_store> store)
    : store_(std::move(store)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

threads_bridge::~threads_bridge() {
  thread_.request_stop();
  thread_.join();
  std::deque<job> left;
  {
    std::lock_guard guard{mutex_};
    closed_ = true;
    left.swap(jobs_);
  }
  for (auto& j : left)
    j(nullptr);
}

void threads_bridge::put(job j) {
  {
    std::lock_guard guard{mutex_};
    if (!closed_ && jobs_.size() < max_jobs) {
      jobs_.push_back(std::move(j));
      wake_.notify_one();
      return;
    }
  }
  j(nullptr);
}

void threads_bridge::run(const std::stop_token& stop) {
  for (;;) {
    job next;
    {
      std::unique_lock lock{mutex_};
      if (!wake_.wait(lock, stop, [this] { return !jobs_.empty(); }))
        return;
      next = std::move(jobs_.front());
      jobs_.pop_front();
    }
    next(store_.get());
  }
}

namespace {

tl::unexpected<error> too_busy() {
  return fail(ec::overloaded, "too many reads of threads wait");
}

} // namespace

void threads_bridge::read(std::string which, seq_t after, size_t limit,
                          net::reply_to<std::optional<thread_story>> reply) {
  put([which = std::move(which), after, limit,
       reply = std::move(reply)](thread_store* store) {
    if (!store)
      return reply(too_busy());
    const auto thread = find_thread(*store, which);
    if (!thread)
      return reply(fail(thread.error()));
    if (!*thread)
      return reply(std::nullopt);
    reply(store->read(**thread, after, limit));
  });
}

void threads_bridge::recent(thread_query q,
                            net::reply_to<std::vector<thread_summary>> reply) {
  put([q = std::move(q), reply = std::move(reply)](thread_store* store) {
    if (!store)
      return reply(too_busy());
    reply(store->recent(q));
  });
}

void threads_bridge::resolve(
    std::vector<std::string> which,
    net::reply_to<std::vector<std::optional<uuid>>> reply) {
  put([which = std::move(which),
       reply = std::move(reply)](thread_store* store) {
    if (!store)
      return reply(too_busy());
    std::vector<std::optional<uuid>> out;
    for (const auto& one : which) {
      const auto thread = find_thread(*store, one);
      if (!thread)
        return reply(fail(thread.error()));
      out.push_back(*thread);
    }
    reply(std::move(out));
  });
}

} // namespace eventweft
