// SPDX-License-Identifier: Apache-2.0
#include "app/shared_tickets.hpp"

#include <utility>

namespace eventweft {

namespace {

/// Tickets that wait for the store: a node's readers, come back all at once.
constexpr size_t max_ticket_jobs = 10'000;

} // namespace

shared_tickets::shared_tickets(std::unique_ptr<ticket_store> store,
                               auth::ticket_options options, const clock& time,
                               random_source& random)
    : options_(options),
      time_(time),
      random_(random),
      store_(std::move(store)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

shared_tickets::~shared_tickets() {
  thread_ = {};
  refuse_all({ec::shutting_down, "the server stops"});
}

void shared_tickets::issue(const auth::principal& who, std::string_view stream,
                           net::reply_to<std::string> reply) {
  auto made = auth::write_ticket(who, stream, time_.now(), random_);
  if (!made) {
    reply(fail(std::move(made.error())));
    return;
  }
  put({[this, reply,
        made = std::move(*made)](ticket_store& store) -> expected<void> {
         auto added = store.add(made.record, options_);
         if (!added) {
           reply(fail(added.error()));
           return added;
         }
         reply(made.text);
         return {};
       },
       [reply](error why) { reply(fail(std::move(why))); }});
}

void shared_tickets::redeem(std::string_view ticket, std::string_view stream,
                            net::reply_to<auth::principal> reply) {
  auto hash = auth::ticket_hash(ticket);
  if (hash.empty()) {
    reply(fail(auth::ticket_refused()));
    return;
  }
  put({[this, reply, hash = std::move(hash),
        stream = std::string{stream}](ticket_store& store) -> expected<void> {
         auto taken = store.take(hash);
         if (!taken) {
           reply(fail(taken.error()));
           return fail(std::move(taken.error()));
         }
         if (*taken)
           reply(auth::bearer_for(std::move(**taken), stream, time_.now()));
         else
           reply(fail(auth::ticket_refused()));
         return {};
       },
       [reply](error why) { reply(fail(std::move(why))); }});
}

void shared_tickets::put(job wanted) {
  {
    const std::lock_guard lock{mutex_};
    if (jobs_.size() < max_ticket_jobs) {
      jobs_.push_back(std::move(wanted));
      wake_.notify_one();
      return;
    }
  }
  wanted.refuse({ec::overloaded, "too many tickets wait for the store"});
}

void shared_tickets::run(const std::stop_token& stop) {
  for (;;) {
    job next;
    {
      std::unique_lock lock{mutex_};
      if (!wake_.wait(lock, stop, [this] { return !jobs_.empty(); }) ||
          stop.stop_requested())
        return;
      next = std::move(jobs_.front());
      jobs_.pop_front();
    }
    const auto asked = next.work(*store_);
    // Each would wait as long for a store that is away, one after the other.
    if (!asked && asked.error().code == ec::store_unavailable)
      refuse_all(asked.error());
  }
}

void shared_tickets::refuse_all(const error& why) {
  std::deque<job> mine;
  {
    const std::lock_guard lock{mutex_};
    mine.swap(jobs_);
  }
  for (const auto& waiting : mine)
    waiting.refuse(why);
}

} // namespace eventweft
