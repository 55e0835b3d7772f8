// SPDX-License-Identifier: Apache-2.0
#include "actors/outgoing/subscriptions_state.hpp"
#include "delivery/progress.hpp"

#include <map>
#include <optional>
#include <utility>
#include <vector>

// What the store has, and what it is asked because others may have changed it.
namespace eventweft {

namespace {

using std::chrono::milliseconds;

/// Whoever asks for names that nobody made costs a look at the store this often
/// at most.
constexpr milliseconds look_pause{250};
/// That wait for one.
constexpr size_t most_lookups = 1'000;

void note_stored(delivery_board& board, const subscription_record& r) {
  const auto& p = r.progress;
  subscription_figures f;
  f.matched = p.matched;
  f.delivered = p.delivered;
  f.failed = p.failed;
  f.given_up = p.given_up;
  f.last_seq = p.last_seq;
  f.last_delivery_at = p.last_delivery_at;
  f.replaying = !p.replay.empty();
  f.cursor = p.done_until;
  std::optional<timestamp> oldest;
  if (const auto mark = delivery::parse_mark(p.mark)) {
    f.cursor = mark->cursor;
    f.open = static_cast<int64_t>(mark->open.size());
    if (!mark->open.empty())
      oldest = mark->open.front().since;
  }
  board.set_stored(r.what.id, std::move(f), oldest);
}

} // namespace

// -- as the store has it ------------------------------------------------------

void subscriptions_state::listen() {
  auto me = subscriptions_actor{self_};
  auto look = [me](const control_event&) { tell_anon(me, poll_atom_v); };
  guards_.push_back(ctx_.control->subscribe(control_kind::streams, look));
  guards_.push_back(ctx_.control->subscribe(control_kind::subscriptions, look));
  guards_.push_back(ctx_.owner->on_change([me] {
    // Ownership of any of them may have changed.
    tell_anon(me, poll_atom_v);
  }));
}

void subscriptions_state::read() {
  if (reading_ || senders_.stopping()) {
    again_ = reading_;
    return;
  }
  auto worker = ctx_.peers->subscription_worker.get();
  if (!worker) {
    answer_lookups();
    read_later(pauses_.next(*ctx_.random));
    return;
  }
  reading_ = true;
  // Only of these the answer is sure: the others have come since.
  served_ = std::exchange(lookups_, {});
  ask(self_, worker, options_.timeout, list_atom_v)
      .then(
          [this](subscription_list& all) {
            reading_ = false;
            pauses_.reset();
            if (std::exchange(unreadable_, false))
              ctx_.log->info("streams and subscriptions can be read again");
            take(std::move(all));
            answer_served();
            if (std::exchange(again_, false))
              read();
            else
              read_later(options_.poll_interval);
          },
          [this](const caf::error& e) {
            reading_ = false;
            again_ = false;
            if (!std::exchange(unreadable_, true))
              ctx_.log->warn("streams and subscriptions can't be read: {}; it "
                             "is tried again",
                             to_string(from_caf(e)));
            answer_lookups();
            read_later(pauses_.next(*ctx_.random));
          });
}

void subscriptions_state::read_later(milliseconds pause) {
  run_after(self_, pause, [this, number = ++reads_] {
    if (number == reads_)
      read();
  });
}

void subscriptions_state::take(subscription_list all) {
  if (senders_.stopping())
    return;
  known_ = true;
  catalogue_->replace(std::move(all.streams));
  std::map<uuid, subscription> now;
  for (auto& s : all.subscriptions)
    now.emplace(s.id, std::move(s));
  senders_.drop_if(
      [&now](const subscription& s) { return !now.contains(s.id); });
  for (auto& [id, s] : now)
    senders_.put(std::move(s));
  read_marks();
}

void subscriptions_state::read_marks() {
  if (reading_marks_)
    return;
  std::vector<uuid> unserved;
  for (const auto& [id, e] : senders_.all())
    if (!options_.deliver || !options_.types.contains(e.what.type))
      unserved.push_back(id);
  reading_marks_ = true;
  read_marks(std::move(unserved));
}

void subscriptions_state::read_marks(std::vector<uuid> left) {
  if (left.empty()) {
    reading_marks_ = false;
    return;
  }
  const auto id = left.back();
  left.pop_back();
  auto found = [this, id, left](const subscription_record& r) {
    if (senders_.find(id) != nullptr)
      note_stored(*board_, r);
    read_marks(left);
  };
  // It may be gone by now; the next look at all of them tells.
  ask_worker([this](const caf::error&) { reading_marks_ = false; },
             std::move(found), find_atom_v, id);
}

// -- what may have been made elsewhere ----------------------------------------

caf::result<stream_definition>
subscriptions_state::look_up(const std::string& stream) {
  if (auto found = catalogue_->find(stream))
    return std::move(*found);
  if (unreadable_)
    return unsure();
  if (lookups_.size() >= most_lookups)
    return to_caf(ec::overloaded, "too many ask for streams that this node "
                                  "does not know");
  auto promise = self_->make_response_promise<stream_definition>();
  lookups_.push_back({stream, promise});
  look();
  return promise;
}

void subscriptions_state::look() {
  if (lookups_.empty() || std::exchange(look_rests_, true))
    return;
  run_after(self_, look_pause, [this] {
    look_rests_ = false;
    look();
  });
  read();
}

void subscriptions_state::answer_served() {
  if (senders_.stopping())
    return;
  for (auto& [stream, promise] : std::exchange(served_, {})) {
    if (auto found = catalogue_->find(stream))
      promise.deliver(std::move(*found));
    else
      promise.deliver(no_stream(stream));
  }
}

void subscriptions_state::answer_lookups() {
  for (auto* all : {&served_, &lookups_})
    for (auto& asked : std::exchange(*all, {}))
      asked.promise.deliver(unsure());
}

caf::error subscriptions_state::unsure() const {
  return known_ ? to_caf(ec::store_unavailable,
                         "the store can't be asked whether there is such a "
                         "stream")
                : to_caf(not_read_yet());
}

} // namespace eventweft
