// SPDX-License-Identifier: Apache-2.0
// A link, where one of its two nodes appends for the other.
#include "actors/caf_compat.hpp"
#include "actors/cluster/link_actor.hpp"
#include "actors/cluster/mesh_core.hpp"
#include "actors/cluster/relayed_append.hpp"

#include <utility>

namespace eventweft {

namespace {

constexpr size_t most_relayed = 64;

} // namespace

caf::result<append_results> link_life::relay(const relay_order& order) {
  const auto number = ++last_relayed_;
  if (!channel_ || !channel_->send(link::append_item{
                       number, link::events_text(order.events)}))
    return to_caf(ec::overloaded, "the link has no room");
  // What got lost on the way is never answered, and its asker has long given
  // up.
  if (relayed_.size() == most_relayed)
    relayed_.erase(relayed_.begin());
  auto promise = self_->make_response_promise<append_results>();
  relayed_.emplace(number, relayed{order.events.size(), promise});
  return promise;
}

void link_life::answered(link::appended_item x) {
  const auto found = relayed_.find(x.number);
  if (found == relayed_.end())
    return;
  auto batch = std::move(found->second);
  relayed_.erase(found);
  if (x.events.size() != batch.events) {
    batch.promise.deliver(
        to_caf(ec::malformed, "the peer's answer does not fit the events"));
    return;
  }
  append_results results;
  results.items.reserve(x.events.size());
  size_t taken = 0;
  for (const auto& e : x.events) {
    taken += e.became == link::appended::kind::not_taken ? 0 : 1;
    results.items.push_back(link::result_of(e));
  }
  core_->ctx.figures->link_relayed(peer_, true, taken);
  batch.promise.deliver(std::move(results));
}

struct link_life::relaying {
  link::appended_item answer;
  size_t missing = 0;
  /// Over which it came: who asked is gone when that is.
  uint64_t connection = 0;
};

void link_life::asked(link::append_item x) {
  auto events = link::events_of(x.events);
  if (!events) {
    core_->ctx.log->warn("cluster: node {}: {}", peer_,
                         to_string(events.error()));
    channel_->send(link::appended_item{x.number, {}});
    return;
  }
  auto batch = std::make_shared<relaying>();
  batch->answer.number = x.number;
  batch->answer.events.resize(events->size());
  batch->missing = events->size();
  batch->connection = connection_;
  const auto writer = core_->is_appender() ? core_->ctx.peers->writer.get()
                                           : storage_writer_actor{};
  for (size_t i = 0; i < events->size(); ++i) {
    const auto& ev = (*events)[i];
    const auto failed = [this, batch, i, id = ev->id](const caf::error& e) {
      append_result result;
      result.outcome.id = id;
      result.refused = from_caf(e);
      appended(batch, i, link::appended_of(result));
    };
    if (!writer) {
      failed(to_caf(ec::overloaded, "it appends for nobody now"));
      continue;
    }
    // Who asked for it does not wait for ever.
    ask_untimed(self_, writer, relayed_atom_v, ev)
        .then(
            [this, batch, i](const append_outcome& outcome) {
              append_result result;
              result.outcome = outcome;
              appended(batch, i, link::appended_of(result));
            },
            failed);
  }
}

void link_life::appended(const std::shared_ptr<relaying>& batch, size_t place,
                         link::appended what) {
  if (what.became != link::appended::kind::not_taken)
    core_->ctx.figures->link_relayed(peer_, false, 1);
  batch->answer.events[place] = std::move(what);
  if (--batch->missing == 0 && channel_ && connection_ == batch->connection)
    channel_->send(std::move(batch->answer));
}

} // namespace eventweft
