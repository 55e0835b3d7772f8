// SPDX-License-Identifier: Apache-2.0
#include "actors/outgoing/subscriptions_state.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

// Whatever is changed is changed in the store first, then here; then the
// others hear of it.
namespace eventweft {

namespace {

/// That wait for the store.
constexpr size_t most_changes = 500;

/// Whoever is overtaken was so by somebody whose change is written: this often
/// in a row is no coincidence.
constexpr int most_overtaken = 20;

/// Coming back later would not help.
caf::error too_many(const std::string& of_what, size_t most) {
  return to_caf(ec::conflict, "there are " + std::to_string(most) + ' ' +
                                  of_what + " already, which is [webhooks] " +
                                  "max_" + of_what);
}

} // namespace

void subscriptions_state::announce(control_kind kind, const std::string& what) {
  ctx_.control->announce({kind, what});
}

// -- in turn ------------------------------------------------------------------

void subscriptions_state::in_turn(std::function<void()> step) {
  changes_.push_back(step);
  if (changes_.size() == 1)
    step();
}

std::optional<caf::error>
subscriptions_state::change_failed(const caf::error& why) {
  if (from_caf(why).code != ec::outdated)
    return why;
  if (++overtaken_ >= most_overtaken)
    return to_caf(ec::overloaded, "others change it again and again");
  // It may end, and go, at once.
  const auto again = changes_.front();
  again();
  return std::nullopt;
}

void subscriptions_state::change_done() {
  overtaken_ = 0;
  changes_.pop_front();
  if (changes_.empty())
    return;
  // It may end, and go, at once.
  const auto next = changes_.front();
  next();
}

bool subscriptions_state::too_many_changes() const noexcept {
  return changes_.size() >= most_changes;
}

// -- streams ------------------------------------------------------------------

caf::result<stream_definition> subscriptions_state::add(stream_definition s) {
  if (catalogue_->all().size() >= options_.max_streams)
    return too_many("streams", options_.max_streams);
  s.created_at = ctx_.time->now();
  s.built_in = false;
  auto promise = self_->make_response_promise<stream_definition>();
  with_worker(
      promise,
      [this, promise, s]() mutable {
        if (!catalogue_->add(s))
          catalogue_->change(s);
        announce(control_kind::streams, s.name);
        promise.deliver(std::move(s));
      },
      append_atom_v, s);
  return promise;
}

caf::result<stream_definition>
subscriptions_state::change(const std::string& stream, const stream_change& c) {
  if (!catalogue_->find(stream))
    return no_stream(stream);
  if (too_many_changes())
    return to_caf(ec::overloaded, "too many changes wait to be written");
  auto promise = self_->make_response_promise<stream_definition>();
  auto read = [this, promise, stream, c](const subscription_list& all) mutable {
    const auto found =
        std::ranges::find(all.streams, stream, &stream_definition::name);
    if (found == all.streams.end()) {
      promise.deliver(no_stream(stream));
      change_done();
      return;
    }
    auto s = *found;
    s.description = c.description.value_or(s.description);
    s.filter = c.filter.value_or(s.filter);
    change_with_worker(
        promise,
        [this, promise, s]() mutable {
          catalogue_->change(s);
          senders_.stream_changed(s.name);
          announce(control_kind::streams, s.name);
          promise.deliver(std::move(s));
          change_done();
        },
        put_atom_v, s);
  };
  in_turn([this, promise, read] {
    change_with_worker(promise, read, list_atom_v);
  });
  return promise;
}

caf::result<void> subscriptions_state::drop(const std::string& stream) {
  auto promise = self_->make_response_promise<void>();
  with_worker(
      promise,
      [this, promise, stream]() mutable {
        senders_.drop_if(
            [&stream](const subscription& s) { return s.stream == stream; });
        catalogue_->remove(stream);
        announce(control_kind::streams, stream);
        promise.deliver();
      },
      drop_atom_v, stream);
  return promise;
}

// -- subscriptions ------------------------------------------------------------

caf::result<subscription_view>
subscriptions_state::add(const new_subscription& n) {
  if (!catalogue_->find(n.what.stream))
    return no_stream(n.what.stream);
  if (senders_.all().size() >= options_.max_subscriptions)
    return too_many("subscriptions", options_.max_subscriptions);
  auto made =
      make_subscription(n, options_.types, ctx_.time->now(), *ctx_.random);
  if (!made)
    return to_caf(made.error());
  auto r = std::make_shared<subscription_record>();
  r->what = std::move(made->what);
  auto promise = self_->make_response_promise<subscription_view>();
  auto store = ctx_.peers->reader.get();
  if (!store) {
    promise.deliver(to_caf(ec::overloaded, "the store's part restarts"));
    return promise;
  }
  auto failed = [promise](const caf::error& e) mutable { promise.deliver(e); };
  auto go = [this, promise, r, secret = made->new_secret](seq_t after) mutable {
    r->progress.done_until = after;
    with_worker(
        promise,
        [this, promise, r, secret]() mutable {
          senders_.put(r->what);
          announce(control_kind::subscriptions, to_string(r->what.id));
          auto view = view_of(r->what);
          view.new_secret = secret;
          promise.deliver(std::move(view));
        },
        append_atom_v, *r);
  };
  switch (n.since.from) {
  case start_point::kind::now:
    ask(self_, store, options_.timeout, head_atom_v).then(go, failed);
    break;
  case start_point::kind::after_seq:
    if (n.since.seq <= 0) {
      go(0);
      break;
    }
    ask(self_, store, options_.timeout, head_atom_v)
        .then(
            [promise, go, since = n.since.seq](seq_t head) mutable {
              if (since <= head)
                go(since);
              else
                promise.deliver(to_caf(ec::unprocessable,
                                       "since: " + std::to_string(since) +
                                           " is beyond the log's end, " +
                                           std::to_string(head) +
                                           "; give a seq up to there, or now"));
            },
            failed);
    break;
  case start_point::kind::at_time:
    ask(self_, store, options_.timeout, seek_atom_v, n.since.time)
        .then(go, failed);
    break;
  }
  return promise;
}

caf::result<subscription_view>
subscriptions_state::change(const std::string& stream, const uuid& id,
                            const subscription_change& c) {
  if (senders_.find(stream, id) == nullptr)
    return no_subscription();
  if (too_many_changes())
    return to_caf(ec::overloaded, "too many changes wait to be written");
  auto promise = self_->make_response_promise<subscription_view>();
  auto found = [this, promise, c](const subscription_record& now) mutable {
    auto made = changed_subscription(now.what, c, *ctx_.random);
    if (!made) {
      promise.deliver(to_caf(made.error()));
      change_done();
      return;
    }
    change_with_worker(
        promise,
        [this, promise, s = made->what, secret = made->new_secret,
         changed = made->what != now.what]() mutable {
          // As the store counts.
          s.version += changed ? 1 : 0;
          // Deleted meanwhile: the sender is gone as well.
          if (senders_.find(s.id) != nullptr)
            senders_.put(s);
          announce(control_kind::subscriptions, to_string(s.id));
          auto view = view_of(s);
          view.new_secret = secret;
          promise.deliver(std::move(view));
          change_done();
        },
        put_atom_v, made->what);
  };
  in_turn([this, promise, id, found] {
    change_with_worker(promise, found, find_atom_v, id);
  });
  return promise;
}

caf::result<void> subscriptions_state::drop(const std::string& stream,
                                            const uuid& id) {
  if (senders_.find(stream, id) == nullptr)
    return no_subscription();
  auto promise = self_->make_response_promise<void>();
  with_worker(
      promise,
      [this, promise, id](bool) mutable {
        senders_.drop(id);
        announce(control_kind::subscriptions, to_string(id));
        promise.deliver();
      },
      drop_atom_v, id);
  return promise;
}

} // namespace eventweft
