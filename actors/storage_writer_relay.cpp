// SPDX-License-Identifier: Apache-2.0
// The storage writer where another node appends for this one.
#include "actors/caf_compat.hpp"
#include "actors/storage_writer_state.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace eventweft {

namespace {

constexpr size_t most_relaying = 4;
constexpr size_t relay_events = 128;
// A frame of a link holds it in any case; larger events are appended here.
constexpr uint64_t relay_bytes = 512u << 10;

} // namespace

std::optional<append_relay> storage_writer_state::relay_now() {
  if (!contended_)
    return std::nullopt;
  const auto now = ctx_.time->now();
  if (now - *contended_ >= options_.relay_for) {
    // The next batch shows whether others still write.
    contended_.reset();
    return std::nullopt;
  }
  if (relay_failed_ && now - *relay_failed_ < options_.relay_pause)
    return std::nullopt;
  return ctx_.others->relay();
}

// What comes gathers until it is as many as are on their way: few events go at
// once, and of many a good part is always there to be appended, in few frames.
bool storage_writer_state::worth_relaying() const {
  return relaying_ < most_relaying &&
         queue_.size() >= std::min(relaying_events_, relay_events);
}

bool storage_writer_state::relay_waiting() {
  while (!queue_.empty()) {
    const auto& first = queue_.front();
    const auto relay = relay_now();
    if (!relay || first.relayed || first.event->footprint() > relay_bytes)
      return false;
    if (!worth_relaying())
      return true;
    auto batch = std::make_shared<appended_batch>();
    batch->events = queue_.take(relay_events, relay_bytes);
    if (std::ranges::any_of(batch->events, &pending_append::relayed)) {
      queue_.put_back(std::move(batch->events));
      return false;
    }
    tell_of_relay(relay->node);
    batch->since = ctx_.time->now();
    relay_order order;
    order.events.reserve(batch->events.size());
    for (const auto& x : batch->events) {
      ctx_.figures->stage_took(stage::queue, batch->since - x.since);
      order.events.push_back(x.event);
    }
    ++relaying_;
    relaying_events_ += batch->events.size();
    const auto done = [this, batch] {
      --relaying_;
      relaying_events_ -= batch->events.size();
    };
    ask(self_, relay->link, options_.relay_timeout, std::move(order))
        .then(
            [this, batch, done, node = relay->node](append_results& results) {
              done();
              relayed(node, *batch, results);
            },
            [this, batch, done, node = relay->node](const caf::error& e) {
              done();
              relay_failed(node, std::move(batch->events), from_caf(e));
            });
  }
  return false;
}

void storage_writer_state::relayed(const std::string& node,
                                   appended_batch& batch,
                                   const append_results& results) {
  if (results.items.size() != batch.events.size()) {
    relay_failed(node, std::move(batch.events),
                 {ec::internal, "its answer does not fit the events"});
    return;
  }
  std::vector<pending_append> left;
  std::optional<error> why;
  seq_t head = 0;
  for (size_t i = 0; i < batch.events.size(); ++i) {
    const auto& result = results.items[i];
    if (result.refused && result.refused->code != ec::row_refused) {
      why = result.refused;
      left.push_back(std::move(batch.events[i]));
    } else {
      head = std::max(head, result.outcome.seq);
    }
  }
  ctx_.figures->stage_took(stage::commit, ctx_.time->now() - batch.since);
  if (left.empty())
    sample(batch);
  // Who is answered must find the log as long as that.
  ctx_.figures->set_head(head);
  for (size_t i = 0; i < batch.events.size(); ++i)
    if (batch.events[i].event)
      answer(batch.events[i], results.items[i]);
  if (!left.empty()) {
    relay_failed(node, std::move(left), *why);
    return;
  }
  relay_failed_.reset();
  pump();
  queue_changed();
}

void storage_writer_state::relay_failed(const std::string& node,
                                        std::vector<pending_append> events,
                                        const error& why) {
  relay_failed_ = ctx_.time->now();
  if (!std::exchange(told_relay_, {}).empty())
    ctx_.log->warn("node {} did not append what it was given ({}): this node "
                   "appends by itself",
                   node, to_string(why));
  queue_.put_back(std::move(events));
  pump();
  queue_changed();
}

void storage_writer_state::tell_of_relay(const std::string& node) {
  if (told_relay_ == node)
    return;
  told_relay_ = node;
  ctx_.log->info("several nodes write: node {} appends for this one", node);
}

} // namespace eventweft
