// SPDX-License-Identifier: Apache-2.0
#include "net/lane.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace eventweft::net {

namespace {

const char* farewell(reader_end why) {
  return why == reader_end::restarting ? "this node restarts"
                                       : "the server is stopping";
}

/// What an encoding buffer may keep between batches.
constexpr size_t kept_text_bytes = 1u << 20;

} // namespace

lane::lane(gate_ptr way_in, const config::streaming_settings& settings,
           metrics& figures)
    : way_in_(std::move(way_in)),
      settings_(settings),
      figures_(figures),
      now_(steady_clock::now()),
      packed_(static_cast<int>(settings.compression_level)) {
  packed_.on_packed = [this](size_t before, size_t after) {
    figures_.message_compressed(before, after);
  };
}

lane::~lane() = default;

// -- any thread ---------------------------------------------------------------

void lane::publish(lane_batch batch, std::function<void()> done) {
  const bool posted = way_in_->post(
      [self = shared_from_this(), batch = std::move(batch), done]() {
        self->deliver(batch);
        done();
      });
  if (!posted)
    done();
}

void lane::join(reader_id id, uint32_t epoch, group_id group,
                log_range backlog) {
  way_in_->post([self = shared_from_this(), id, epoch, group,
                 backlog = std::move(backlog)]() mutable {
    self->position_ = std::max(self->position_, backlog.last);
    if (const auto r = self->find(id))
      r->join(epoch, group, std::move(backlog));
  });
}

void lane::page(reader_id id, uint32_t epoch, log_range events) {
  way_in_->post([self = shared_from_this(), id, epoch,
                 events = std::move(events)]() mutable {
    if (const auto r = self->find(id))
      r->page(epoch, std::move(events));
  });
}

void lane::end(reader_id id, reader_end why, std::string message) {
  way_in_->post(
      [self = shared_from_this(), id, why, message = std::move(message)]() {
        if (const auto r = self->find(id))
          r->end(why, message);
      });
}

void lane::restart(reader_id id) {
  way_in_->post([self = shared_from_this(), id]() {
    if (const auto r = self->find(id))
      r->restart();
  });
}

void lane::describe(std::string stream, reader_id after, size_t limit,
                    std::function<void(std::vector<reader_view>)> done) {
  const bool posted =
      way_in_->post([self = shared_from_this(), stream = std::move(stream),
                     after, limit, done]() {
        std::vector<reader*> wanted;
        for (const auto& [id, r] : self->readers_)
          if (id > after && r->stream_name() == stream)
            wanted.push_back(r.get());
        const auto some = wanted.begin() + static_cast<std::ptrdiff_t>(
                                               std::min(limit, wanted.size()));
        std::partial_sort(wanted.begin(), some, wanted.end(),
                          [](auto* a, auto* b) { return a->id() < b->id(); });
        std::vector<reader_view> views;
        const auto head = self->figures_.head();
        const auto now = steady_clock::now();
        std::transform(wanted.begin(), some, std::back_inserter(views),
                       [&](auto* r) { return r->view(head, now); });
        done(std::move(views));
      });
  if (!posted)
    done({});
}

// -- the I/O thread -----------------------------------------------------------

void lane::deliver(const lane_batch& batch) {
  for (const auto& [group, range] : batch.groups) {
    const auto found = groups_.find(group);
    if (found == groups_.end() || range->events.empty())
      continue;
    std::array<bool, wire_style_count> ready{};
    // Backwards: a reader that leaves while it is served is replaced by the
    // last one, which had its turn.
    auto& members = found->second;
    for (size_t i = members.size(); i-- > 0;) {
      reader& r = *members[i];
      const auto style = r.style();
      auto& encoded = encoded_[style.index()];
      if (!std::exchange(ready[style.index()], true))
        encoded.assign(range->events, style, packed_);
      r.deliver(encoded, batch.first);
    }
    if (members.empty())
      groups_.erase(found);
  }
  position_ = std::max(position_, batch.last);
  for (auto& e : encoded_)
    if (e.bytes->capacity() > kept_text_bytes)
      e = {};
}

void lane::add(std::shared_ptr<reader> r) {
  figures_.reader_opened(r->stream_name(), r->kind());
  auto& added = *r;
  readers_.emplace(added.id(), std::move(r));
  if (stopping_)
    added.end(stopping_why_, farewell(stopping_why_));
}

void lane::remove(reader& r) {
  leave(r);
  const auto found = readers_.find(r.id());
  if (found == readers_.end())
    return;
  figures_.reader_closed(r.stream_name(), r.kind());
  const auto keep = std::move(found->second);
  readers_.erase(found);
}

void lane::enter(reader& r, group_id group) {
  auto& members = groups_[group];
  r.place() = {group, members.size(), true};
  members.push_back(&r);
}

void lane::leave(reader& r) {
  auto& place = r.place();
  if (!place.live)
    return;
  place.live = false;
  // An empty group stays until its next batch, which may be in the middle of
  // being delivered.
  auto& members = groups_[place.group];
  members[place.index] = members.back();
  members[place.index]->place().index = place.index;
  members.pop_back();
}

reader* lane::find(reader_id id) const {
  const auto found = readers_.find(id);
  return found == readers_.end() ? nullptr : found->second.get();
}

void lane::tick(steady_clock::time_point now) {
  now_ = now;
  for (const auto& entry : readers_)
    entry.second->tick(now);
  std::erase_if(groups_, [](const auto& g) { return g.second.empty(); });
  report();
}

void lane::report() {
  std::erase_if(tallies_, [this](const auto& entry) {
    auto& [events, bytes, last] = *entry.second;
    if (events != 0) {
      // A reader is handed nothing but what matches.
      figures_.events_matched(entry.first, events);
      figures_.events_sent(entry.first, std::exchange(events, 0),
                           std::exchange(bytes, 0), last);
    }
    return entry.second.use_count() == 1;
  });
}

std::shared_ptr<reader::tally> lane::tally_for(const std::string& stream) {
  auto& t = tallies_[stream];
  if (!t)
    t = std::make_shared<reader::tally>();
  return t;
}

void lane::recheck(const still_in& alive) {
  for (const auto& entry : readers_)
    if (const auto in = alive(entry.second->in()); !in)
      entry.second->end(in.error().code == ec::forbidden
                            ? reader_end::refused
                            : reader_end::token_expired,
                        in.error().message);
}

void lane::stop(reader_end why) {
  stopping_ = true;
  stopping_why_ = why;
  for (const auto& entry : readers_)
    entry.second->end(why, farewell(why));
}

void lane::abort_all() {
  stopping_ = true;
  for (const auto& entry : readers_)
    entry.second->abort();
  report();
}

void lane::clear() {
  groups_.clear();
  const auto dropped = std::exchange(readers_, {});
  for (const auto& entry : dropped)
    entry.second->place().live = false;
}

} // namespace eventweft::net
