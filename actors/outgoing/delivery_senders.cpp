// SPDX-License-Identifier: Apache-2.0
#include "actors/outgoing/delivery_senders.hpp"

#include "actors/caf_compat.hpp"
#include "actors/outgoing/sender_parts.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace eventweft {

delivery_senders::delivery_senders(subscriptions_actor::pointer self,
                                   actor_context ctx, delivery_tools tools,
                                   std::shared_ptr<stream_catalogue> catalogue,
                                   subscriptions_options options)
    : self_(self),
      ctx_(std::move(ctx)),
      tools_(std::move(tools)),
      catalogue_(std::move(catalogue)),
      options_(std::move(options)) {
  // nop
}

// Whoever comes next has senders of its own.
delivery_senders::~delivery_senders() {
  for (auto& [id, e] : entries_)
    if (e.sender)
      end_actor(e.sender, caf::exit_reason::kill);
}

const delivery_senders::entry* delivery_senders::find(const uuid& id) const {
  auto i = entries_.find(id);
  return i == entries_.end() ? nullptr : &i->second;
}

const delivery_senders::entry* delivery_senders::find(const std::string& stream,
                                                      const uuid& id) const {
  const auto* e = find(id);
  return e == nullptr || e->what.stream != stream ? nullptr : e;
}

void delivery_senders::put(subscription s) {
  auto [i, is_new] = entries_.try_emplace(s.id);
  auto& e = i->second;
  e.what = std::move(s);
  if (e.sender) {
    tell(self_, e.sender, put_atom_v, order_of(e.what));
    tell(self_, e.sender, tick_atom_v);
  } else if (is_new) {
    start(e);
  }
}

void delivery_senders::drop(uuid id) {
  if (auto i = entries_.find(id); i != entries_.end()) {
    end(i->second);
    ctx_.owner->ended(work_of(i->second.what));
    entries_.erase(i);
  }
  tools_.board->erase(id);
}

void delivery_senders::drop_if(
    const std::function<bool(const subscription&)>& gone) {
  for (auto i = entries_.begin(); i != entries_.end();) {
    const auto& [id, e] = *i++;
    if (gone(e.what))
      drop(id);
  }
}

void delivery_senders::stream_changed(const std::string& stream) {
  for (auto& [id, e] : entries_)
    if (e.what.stream == stream && e.sender)
      tell(self_, e.sender, put_atom_v, order_of(e.what));
}

void delivery_senders::disable(const uuid& id, const std::string& reason) {
  if (auto i = entries_.find(id); i != entries_.end()) {
    i->second.what.active = false;
    i->second.what.disabled_reason = reason;
  }
}

std::optional<uuid> delivery_senders::lost(const caf::actor_addr& who) {
  auto i = std::find_if(entries_.begin(), entries_.end(), [&](const auto& x) {
    return x.second.sender && x.second.sender.address() == who;
  });
  if (i == entries_.end())
    return std::nullopt;
  i->second.sender = nullptr;
  return i->first;
}

void delivery_senders::restart(const uuid& id) {
  if (auto i = entries_.find(id); i != entries_.end() && !i->second.sender)
    start(i->second);
}

void delivery_senders::stop(std::function<void()> done) {
  if (std::exchange(stopping_, true))
    return;
  auto left = std::make_shared<size_t>(1);
  auto one_done = [left, done = std::move(done)] {
    if (--*left == 0)
      done();
  };
  for (const auto& [id, e] : entries_) {
    if (!e.sender)
      continue;
    ++*left;
    auto ended = [this, id = id, one_done] {
      if (auto i = entries_.find(id); i != entries_.end())
        end(i->second);
      one_done();
    };
    ask(self_, e.sender, options_.stop_timeout, flush_atom_v)
        .then(ended, [ended](const caf::error&) { ended(); });
  }
  one_done();
}

delivery_order delivery_senders::order_of(const subscription& s) const {
  auto stream = catalogue_->find(s.stream);
  return {s, stream ? std::move(stream->filter) : filter{}};
}

void delivery_senders::start(entry& e) {
  if (!options_.deliver || stopping_ || !options_.types.contains(e.what.type))
    return;
  e.sender = spawn_delivery_sender(self_->system(), ctx_, tools_,
                                   options_.sender, order_of(e.what));
  self_->monitor(e.sender);
}

void delivery_senders::end(entry& e) {
  if (auto old = std::exchange(e.sender, delivery_sender_actor{})) {
    self_->demonitor(old.address());
    end_actor(old, caf::exit_reason::user_shutdown);
  }
}

} // namespace eventweft
