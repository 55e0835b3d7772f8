// SPDX-License-Identifier: Apache-2.0
#include "app/threads_bridge.hpp"

#include "codec/filter.hpp"
#include "correlation/keys.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace eventweft {

namespace {

/// Reads that may wait.
constexpr size_t max_thread_jobs = 256;

} // namespace

namespace {

/// The commits that the store knows, for one look-up.
class known_commits {
 public:
  explicit known_commits(thread_store& store) : store_(store) {}

  std::optional<std::string> operator()(std::string_view hex) {
    constexpr std::string_view family = "git:sha:";
    auto found = store_.keys_like(std::string{family}.append(hex), {}, 3);
    if (!found) {
      failure_ = std::move(found.error());
      return std::nullopt;
    }
    std::erase_if(
        *found, [](const auto& key) { return correlation::is_short_sha(key); });
    if (found->size() > 1)
      several_ = hex;
    if (found->size() != 1)
      return std::nullopt;
    return found->front().substr(family.size());
  }

  const std::optional<error>& failure() const { return failure_; }
  /// The digits that several begin with; empty: none were asked for.
  const std::string& several() const { return several_; }

 private:
  thread_store& store_;
  std::optional<error> failure_;
  std::string several_;
};

/// Other keys that `which` may mean, if its canonical form leads nowhere.
expected<std::vector<std::string>> other_spellings(thread_store& store,
                                                   std::string_view which,
                                                   const std::string& key) {
  std::vector<std::string> out;
  // "octo/repo#12" reads as a pull request; it may be an issue. Of addresses,
  // GitHub leads from either to the other.
  constexpr std::string_view pr = "github:pr:";
  constexpr std::string_view issue = "github:issue:";
  if (key.starts_with(pr))
    out.push_back(std::string{issue}.append(key, pr.size()));
  else if (key.starts_with(issue))
    out.push_back(std::string{pr}.append(key, issue.size()));
  // An id counts within its repository, of which there may be one only.
  constexpr auto deployment = correlation::deployment_family;
  if (correlation::is_bare_deployment(key)) {
    auto found = store.keys_like(std::string{deployment},
                                 "#" + key.substr(deployment.size()), 2);
    if (!found)
      return fail(std::move(found.error()));
    if (found->size() == 1)
      out.push_back(std::move(found->front()));
  }
  // "eng-42"
  if (auto loud = correlation::normalise_key(correlation::upper(which));
      loud && loud->starts_with("linear:issue:"))
    out.push_back(std::move(*loud));
  // What senders gave as their `correlationid`.
  out.push_back(correlation::correlation_id_key(which));
  return out;
}

} // namespace

namespace {

/// A thread, and the key that led to it; empty: its own id or an event's did.
struct thread_hit {
  uuid thread;
  std::string key;
};

expected<std::optional<thread_hit>> find_by_key(thread_store& store,
                                                std::string key) {
  const auto found = store.thread_of(key);
  if (!found)
    return fail(found.error());
  if (!*found)
    return std::nullopt;
  return thread_hit{**found, std::move(key)};
}

expected<std::optional<thread_hit>> look_up(thread_store& store,
                                            const std::string& which) {
  if (const auto id = uuid::parse(which)) {
    const auto found = store.thread_of(*id);
    if (!found)
      return fail(found.error());
    if (*found)
      return thread_hit{**found, {}};
    // The sender's own, of an event whose thread has another id.
    return find_by_key(store, correlation::correlation_id_key(which));
  }
  known_commits commits{store};
  auto key = correlation::normalise_key(which, std::ref(commits));
  if (commits.failure())
    return fail(*commits.failure());
  if (!key)
    return std::nullopt;
  // A permalink has no team; what was written in its channel told which.
  if (const auto fact = correlation::needed_fact(*key);
      !fact.empty() && !correlation::is_short_sha(*key)) {
    const auto value = store.fact(fact);
    if (!value)
      return fail(value.error());
    if (*value)
      key = correlation::resolve_key(*key, **value);
  }
  if (auto found = find_by_key(store, *key); !found || *found)
    return found;
  const auto others = other_spellings(store, which, *key);
  if (!others)
    return fail(others.error());
  for (const auto& other : *others)
    if (auto found = find_by_key(store, other); !found || *found)
      return found;
  if (!commits.several().empty())
    return fail(ec::not_found, "several commits begin with " +
                                   commits.several() +
                                   ": more of the digits are needed");
  return std::nullopt;
}

/// What of a thread is looked through for an event that shows a key.
constexpr thread_page most_witnesses{0, 100, 4ull << 20};

/// Whether somebody who sees what `sees` lets through knows by that that
/// `which` leads to the thread.
expected<bool> is_known_to(thread_store& store, const std::string& which,
                           const thread_hit& hit,
                           const codec::compiled_filter& sees) {
  if (!hit.key.empty()) {
    const auto events = store.linked_by(hit.thread, hit.key, most_witnesses);
    if (!events)
      return fail(events.error());
    return std::ranges::any_of(
        *events, [&](const event_ptr& ev) { return sees.matches(*ev); });
  }
  // A thread's id stands on each of its events, but an event's own on that one
  // alone.
  const auto id = uuid::parse(which);
  const auto thread = store.thread_with_id(*id);
  if (!thread)
    return fail(thread.error());
  if (*thread)
    return true;
  const auto ev = store.find(*id);
  if (!ev)
    return fail(ev.error());
  return *ev && sees.matches(***ev);
}

} // namespace

expected<std::optional<uuid>> find_thread(thread_store& store,
                                          const std::string& which) {
  return look_up(store, which)
      .map([](std::optional<thread_hit>&& hit) -> std::optional<uuid> {
        if (!hit)
          return std::nullopt;
        return hit->thread;
      });
}

expected<std::optional<uuid>> find_visible_thread(thread_store& store,
                                                  const std::string& which,
                                                  const filter& visible) {
  const auto hit = look_up(store, which);
  // That there are several is nothing to those who may not see them.
  if (!hit && hit.error().code == ec::not_found)
    return uuid{};
  if (!hit)
    return fail(hit.error());
  if (!*hit)
    return std::nullopt;
  const auto known =
      is_known_to(store, which, **hit, codec::compiled_filter{visible});
  if (!known)
    return fail(known.error());
  return *known ? (*hit)->thread : uuid{};
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
    if (!closed_ && jobs_.size() < max_thread_jobs) {
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
    reply(store->read(**thread, {.after = after, .limit = limit}));
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
    std::vector<std::string> which, filter visible,
    net::reply_to<std::vector<std::optional<uuid>>> reply) {
  put([which = std::move(which), visible = std::move(visible),
       reply = std::move(reply)](thread_store* store) {
    if (!store)
      return reply(too_busy());
    std::vector<std::optional<uuid>> out;
    for (const auto& one : which) {
      const auto thread = visible.empty()
                              ? find_thread(*store, one)
                              : find_visible_thread(*store, one, visible);
      if (!thread && thread.error().code == ec::not_found)
        return reply(fail(ec::unprocessable, "filter: correlation_ids: " +
                                                 thread.error().message));
      if (!thread)
        return reply(fail(thread.error()));
      out.push_back(*thread);
    }
    reply(std::move(out));
  });
}

} // namespace eventweft
