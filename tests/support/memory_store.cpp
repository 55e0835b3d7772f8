// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_store.hpp"

#include <algorithm>

namespace eventweft::testing {

namespace {

bool listed(const std::vector<std::string>& wanted, const std::string& value) {
  return wanted.empty() ||
         std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

} // namespace

std::vector<event_ptr> memory_log::events() const {
  std::lock_guard guard{mutex_};
  return events_;
}

seq_t memory_log::head() const {
  std::lock_guard guard{mutex_};
  return static_cast<seq_t>(events_.size());
}

seq_t memory_log::add(event e) {
  std::lock_guard guard{mutex_};
  by_key_.emplace(std::pair{e.platform, e.event_id}, events_.size());
  e.seq = static_cast<seq_t>(events_.size()) + 1;
  events_.emplace_back(std::move(e));
  return events_.back()->seq;
}

void memory_log::set_down(std::optional<error> e) {
  std::lock_guard guard{mutex_};
  down = std::move(e);
}

seq_t memory_log::shown() const {
  return sync_later ? durable_ : head();
}

void memory_log::lose_unsynced() {
  std::lock_guard guard{mutex_};
  if (!sync_later)
    return;
  events_.resize(std::min(events_.size(), static_cast<size_t>(durable_)));
  std::erase_if(by_key_,
                [&](const auto& x) { return x.second >= events_.size(); });
}

void memory_log::merge(const uuid& from, const uuid& into) {
  std::lock_guard guard{mutex_};
  for (auto& [id, now] : merges_)
    if (now == from)
      now = into;
  merges_[from] = into;
  for (auto& ev : events_)
    if (ev->correlation_id == from) {
      auto copy = *ev;
      copy.correlation_id = into;
      ev = event_ptr{std::move(copy)};
    }
}

void memory_log::link(const late_link& l) {
  std::lock_guard guard{mutex_};
  for (auto& ev : events_)
    if (ev->id == l.event) {
      auto copy = *ev;
      if (l.thread)
        copy.correlation_id = l.thread;
      if (l.parent)
        copy.parent_event_id = l.parent;
      ev = event_ptr{std::move(copy)};
    }
}

void memory_log::name(const uuid& id, const uuid& thread) {
  std::lock_guard guard{mutex_};
  merges_[id] = thread;
}

std::optional<error> memory_session::fault() {
  auto out = log_->down;
  if (out && log_->down_for > 0 && --log_->down_for == 0)
    log_->down.reset();
  return out;
}

expected<std::vector<append_result>>
memory_session::append(std::span<const event_ptr> events) {
  std::lock_guard guard{log_->mutex_};
  if (auto e = fault())
    return fail(*e);
  if (log_->full)
    return fail(*log_->full);
  for (const auto& ev : events)
    if (log_->poison.contains(ev->event_id))
      return fail(ec::internal, "poison");
    else if (log_->endless.contains(ev->event_id))
      return fail(ec::store_unavailable, "it takes too long");
  log_->batches.push_back(events.size());
  std::vector<append_result> out;
  for (const auto& ev : events) {
    append_result r;
    auto known = log_->by_key_.find({ev->platform, ev->event_id});
    if (log_->refused.contains(ev->event_id)) {
      r.outcome.id = ev->id;
      r.refused = error{ec::row_refused, "for what it contains"};
    } else if (known != log_->by_key_.end()) {
      const auto& first = *log_->events_[known->second];
      r.outcome = {first.id, first.seq, first.id != ev->id, false};
    } else {
      r.outcome = {ev->id, log_->add(*ev), false, false};
    }
    out.push_back(std::move(r));
  }
  // A durable commit makes durable what was before it.
  log_->durable_ = log_->head();
  if (auto lost = std::exchange(log_->lose_next_answer, std::nullopt))
    return fail(*lost);
  return out;
}

expected<append_results>
memory_session::append_and_join(std::span<const event_ptr> events) {
  std::lock_guard guard{log_->mutex_};
  return append(events).map([&](std::vector<append_result>&& items) {
    append_results out{std::move(items)};
    out.threads.news = std::exchange(log_->news, {});
    out.contended = log_->contended;
    return out;
  });
}

expected<append_results>
memory_session::append_unsynced(std::span<const event_ptr> events) {
  std::lock_guard guard{log_->mutex_};
  const auto durable = log_->durable_;
  auto done = append_and_join(events);
  if (!done || !log_->sync_later)
    return done;
  log_->durable_ = durable;
  std::optional<log_mark> last;
  for (const auto& one : done->items)
    if (!one.refused)
      keep_later(last, log_mark{one.outcome.seq, one.outcome.id});
  if (last)
    done->unsynced.push_back(*last);
  return done;
}

expected<void>
memory_session::make_durable(std::span<const log_mark> appended) {
  std::lock_guard guard{log_->mutex_};
  if (auto e = fault())
    return fail(*e);
  for (const auto& mark : appended)
    if (mark.seq > log_->head() ||
        log_->events_[static_cast<size_t>(mark.seq) - 1]->id != mark.id)
      return fail(ec::store_unavailable, "it is lost");
  log_->durable_ = log_->head();
  return {};
}

expected<log_head> memory_session::head() {
  std::lock_guard guard{log_->mutex_};
  if (auto e = fault())
    return fail(*e);
  return log_head{log_->shown()};
}

expected<log_range> memory_session::read_after(seq_t after, size_t max_events,
                                               size_t max_bytes) {
  std::lock_guard guard{log_->mutex_};
  if (auto e = fault())
    return fail(*e);
  ++log_->pages_read;
  log_range out{after + 1, after, {}};
  size_t bytes = 0;
  for (const auto& ev : log_->events_) {
    if (ev->seq <= after || ev->seq > log_->shown())
      continue;
    bytes += ev->payload.size();
    if (out.events.size() >= max_events ||
        (!out.events.empty() && bytes > max_bytes))
      break;
    out.events.push_back(ev);
    out.last = ev->seq;
  }
  return out;
}

expected<std::optional<event_ptr>> memory_session::find(const uuid& id) {
  std::lock_guard guard{log_->mutex_};
  if (auto e = fault())
    return fail(*e);
  for (const auto& ev : log_->events_)
    if (ev->id == id)
      return ev;
  return std::nullopt;
}

expected<event_page> memory_session::query(const event_query& q) {
  std::lock_guard guard{log_->mutex_};
  if (auto e = fault())
    return fail(*e);
  log_->asked = q;
  event_page out;
  for (auto i = log_->events_.rbegin(); i != log_->events_.rend(); ++i)
    if ((q.cursor == 0 || (*i)->seq < q.cursor) &&
        listed(q.platforms, (*i)->platform) &&
        listed(q.event_types, (*i)->event_type) && out.events.size() < q.limit)
      out.events.push_back(*i);
  return out;
}

expected<std::vector<uuid>>
memory_session::present_threads(std::span<const uuid> ids) {
  std::lock_guard guard{log_->mutex_};
  if (auto e = fault())
    return fail(*e);
  std::vector<uuid> out;
  for (const auto& id : ids) {
    const auto found = log_->merges_.find(id);
    out.push_back(found == log_->merges_.end() ? id : found->second);
  }
  return out;
}

expected<places_page> memory_session::places(const places_request& r) {
  std::lock_guard guard{log_->mutex_};
  if (auto e = fault())
    return fail(*e);
  places_page out{log_->thread_version, {}, r.last};
  for (const auto& ev : log_->events_)
    if (ev->seq > r.after && ev->seq <= r.last &&
        (ev->correlation_id || ev->parent_event_id)) {
      out.events.push_back({ev->seq, ev->correlation_id, ev->parent_event_id});
      if (out.events.size() == r.max_events) {
        out.last = ev->seq;
        break;
      }
    }
  return out;
}

expected<seq_t> memory_session::seq_before(timestamp t) {
  std::lock_guard guard{log_->mutex_};
  if (auto e = fault())
    return fail(*e);
  for (const auto& ev : log_->events_)
    if (ev->created_at >= t)
      return ev->seq - 1;
  return log_->shown();
}

expected<void> memory_session::add_dead_letter(const dead_letter& letter) {
  std::lock_guard guard{log_->mutex_};
  if (auto e = fault())
    return fail(*e);
  if (std::ranges::find(log_->letters, letter.id, &dead_letter::id) ==
      log_->letters.end())
    log_->letters.push_back(letter);
  return {};
}

expected<std::vector<dead_letter>>
memory_session::dead_letters(const dead_letter_query& q) {
  std::lock_guard guard{log_->mutex_};
  if (auto e = fault())
    return fail(*e);
  std::vector<dead_letter> out;
  for (auto i = log_->letters.rbegin(); i != log_->letters.rend(); ++i)
    if ((q.before.is_nil() || i->id < q.before) && (!q.id || *q.id == i->id) &&
        (q.origin.empty() || q.origin == i->origin ||
         q.origin == origin_kind(i->origin)) &&
        (q.platforms.empty() ||
         std::ranges::find(q.platforms, i->platform) != q.platforms.end()) &&
        out.size() < q.limit) {
      auto& letter = out.emplace_back(*i);
      if (!q.bodies)
        letter.body_bytes = std::exchange(letter.body, {}).size();
    }
  return out;
}

expected<bool> memory_session::drop_dead_letter(const uuid& id) {
  std::lock_guard guard{log_->mutex_};
  if (auto e = fault())
    return fail(*e);
  return std::erase_if(log_->letters,
                       [&id](const dead_letter& x) { return x.id == id; }) > 0;
}

expected<uint64_t> memory_spool::append(std::span<const event_ptr> events) {
  if (content_->down)
    return fail(*content_->down);
  if (content_->events.size() + events.size() > content_->max_events)
    return fail(ec::store_full, "the spool's limit");
  content_->events.insert(content_->events.end(), events.begin(), events.end());
  return bytes();
}

expected<std::vector<event_ptr>> memory_spool::peek(size_t max) {
  if (content_->down)
    return fail(*content_->down);
  auto n = std::min(max, content_->events.size());
  return std::vector<event_ptr>(content_->events.begin(),
                                content_->events.begin() +
                                    static_cast<std::ptrdiff_t>(n));
}

expected<uint64_t> memory_spool::drop(size_t count) {
  if (content_->down)
    return fail(*content_->down);
  auto n = std::min(count, content_->events.size());
  content_->events.erase(content_->events.begin(),
                         content_->events.begin() +
                             static_cast<std::ptrdiff_t>(n));
  return bytes();
}

expected<spool_state> memory_spool::state() {
  if (content_->down)
    return fail(*content_->down);
  spool_state state{content_->events.size(), bytes()};
  for (const auto& ev : content_->events)
    state.held.push_back({ev->platform, ev->event_id, ev->id});
  return state;
}

event make_event(int number, const std::string& platform,
                 const std::string& type, size_t payload_size) {
  event e;
  for (size_t i = 0; i < 4; ++i)
    e.id.bytes[12 + i] = static_cast<uint8_t>(number >> (24 - 8 * i));
  e.id.bytes[0] = 1;
  e.event_id = "delivery-" + std::to_string(number);
  e.platform = platform;
  e.event_type = type;
  e.created_at = timestamp{std::chrono::seconds{1'700'000'000 + number}};
  e.payload = shared_text{"\"" + std::string(payload_size, 'x') + "\""};
  return e;
}

} // namespace eventweft::testing
