// SPDX-License-Identifier: Apache-2.0
#include "fake_backend.hpp"

#include <algorithm>
#include <thread>

namespace eventweft::net {

class fake_backend::control final : public reader_control {
 public:
  control(fake_backend& home, reader_id id, seq_t start)
      : home_(home), id_(id), start_(start) {}
  ~control() override { home_.leave(id_); }
  void next(uint32_t epoch, seq_t cursor) override {
    home_.next(id_, epoch, cursor);
  }
  seq_t start() const noexcept override { return start_; }
  void change_filter(filter f) override {
    home_.change_filter(id_, std::move(f));
  }

 private:
  fake_backend& home_;
  reader_id id_;
  seq_t start_;
};

// -- for the test -------------------------------------------------------------

void fake_backend::commit(std::vector<event> events) {
  const std::lock_guard lock{mutex_};
  const auto first = static_cast<seq_t>(log_.size()) + 1;
  for (auto& e : events) {
    e.seq = static_cast<seq_t>(log_.size()) + 1;
    e.id.bytes[0] = 1;
    for (size_t i = 0; i != 8; ++i)
      e.id.bytes[15 - i] = static_cast<uint8_t>(e.seq >> (8 * i));
    log_.emplace_back(std::move(e));
  }
  const auto last = static_cast<seq_t>(log_.size());
  lane_batch batch{first, last, {}};
  for (const auto& [key, group] : groups_) {
    auto range = std::make_shared<log_range>();
    *range = {first, last, {}};
    for (auto seq = first; seq <= last; ++seq)
      if (const auto& ev = log_[static_cast<size_t>(seq) - 1];
          group.second.matches(*ev))
        range->events.push_back(ev);
    if (!range->events.empty())
      batch.groups.emplace_back(group.first, std::move(range));
  }
  for (const auto& entry : lanes_) {
    ++unsettled_;
    // Called by the lane's thread, or by ours if that has ended.
    entry.second->publish(batch, [this] { --unsettled_; });
  }
}

void fake_backend::commit(size_t n, const std::string& type,
                          size_t payload_bytes) {
  std::vector<event> events;
  for (size_t i = 0; i != n; ++i) {
    event e;
    e.event_id = "delivery-" + std::to_string(++made_);
    e.platform = "github";
    e.event_type = type;
    e.source_name = "octo/repo";
    e.payload =
        shared_text{R"({"fill":")" + std::string(payload_bytes, 'x') + "\"}"};
    events.push_back(std::move(e));
  }
  commit(std::move(events));
}

seq_t fake_backend::head() const {
  const std::lock_guard lock{mutex_};
  return static_cast<seq_t>(log_.size());
}

size_t fake_backend::pages() const {
  const std::lock_guard lock{mutex_};
  return pages_;
}

size_t fake_backend::joins() const {
  const std::lock_guard lock{mutex_};
  return joins_;
}

size_t fake_backend::readers() const {
  const std::lock_guard lock{mutex_};
  return open_.size();
}

size_t fake_backend::filter_changes() const {
  const std::lock_guard lock{mutex_};
  return filter_changes_;
}

void fake_backend::end_readers(reader_end why, const std::string& message) {
  const std::lock_guard lock{mutex_};
  for (const auto& [id, s] : open_)
    s.request.lane->end(id, why, message);
}

bool fake_backend::wait(const std::function<bool()>& condition) const {
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

bool fake_backend::settled() const {
  return unsettled_ == 0;
}

event_query fake_backend::last_query() const {
  const std::lock_guard lock{mutex_};
  return last_query_;
}

// -- readers ------------------------------------------------------------------

void fake_backend::open_reader(reader_request request,
                               reply_to<std::shared_ptr<reader_control>> done) {
  const auto found = subscriptions_.get(request.stream);
  if (!found) {
    done(fail(found.error()));
    return;
  }
  const auto id = request.id;
  const auto& from = request.start;
  const auto start =
      from.from == start_point::kind::after_seq ? from.seq : seq_t{-1};
  {
    const std::lock_guard lock{mutex_};
    lanes_.emplace(request.lane.get(), request.lane);
    codec::compiled_filter compiled{found->filter, request.filter,
                                    request.forced};
    open_.emplace(
        id, open_subscription{std::move(request), found->filter, compiled});
  }
  done(std::make_shared<control>(*this, id, start));
}

group_id fake_backend::group_of(const codec::compiled_filter& f) {
  const auto [it, added] = groups_.try_emplace(
      f.key(), std::pair{static_cast<group_id>(groups_.size() + 1), f});
  return it->second.first;
}

void fake_backend::next(reader_id id, uint32_t epoch, seq_t cursor) {
  const std::lock_guard lock{mutex_};
  if (silent)
    return;
  const auto& s = open_.at(id);
  const auto end = static_cast<seq_t>(log_.size());
  if (cursor < 0)
    cursor = s.request.start.from == start_point::kind::after_seq
                 ? s.request.start.seq
                 : end;
  log_range range{cursor + 1, end, {}};
  const bool join = end - cursor <= static_cast<seq_t>(ring_events);
  for (auto seq = cursor + 1; seq <= end; ++seq) {
    const auto& ev = log_[static_cast<size_t>(seq) - 1];
    if (s.compiled.matches(*ev))
      range.events.push_back(ev);
    if (!join && range.events.size() == page_events) {
      range.last = seq;
      break;
    }
  }
  if (join) {
    ++joins_;
    s.request.lane->join(id, epoch, group_of(s.compiled), std::move(range));
  } else {
    ++pages_;
    s.request.lane->page(id, epoch, std::move(range));
  }
}

void fake_backend::change_filter(reader_id id, filter f) {
  const std::lock_guard lock{mutex_};
  ++filter_changes_;
  auto& s = open_.at(id);
  s.compiled = codec::compiled_filter{s.stream_filter, f, s.request.forced};
}

void fake_backend::leave(reader_id id) {
  const std::lock_guard lock{mutex_};
  open_.erase(id);
}

// -- the rest -----------------------------------------------------------------

bool fake_backend::knows_platform(std::string_view name) const {
  return name == "github" || name == "linear";
}

void fake_backend::accept(webhook w, reply_to<webhook_answer> done) {
  if (on_webhook) {
    on_webhook(std::move(w), std::move(done));
    return;
  }
  done(webhook_answer{
      200, "application/json", {}, std::to_string(w.body.size())});
}

void fake_backend::query(event_query q, reply_to<event_page> done) {
  event_page page;
  {
    const std::lock_guard lock{mutex_};
    last_query_ = q;
    for (const auto& ev : log_)
      if (ev->seq > q.cursor && page.events.size() < q.limit)
        page.events.push_back(ev);
    if (!page.events.empty() &&
        page.events.back()->seq != static_cast<seq_t>(log_.size()))
      page.next_cursor = page.events.back()->seq;
  }
  done(std::move(page));
}

void fake_backend::find(uuid id, reply_to<std::optional<event_ptr>> done) {
  std::optional<event_ptr> found;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& ev : log_)
      if (ev->id == id)
        found = ev;
  }
  done(found);
}

void fake_backend::present_threads(std::vector<uuid> ids,
                                   reply_to<std::vector<uuid>> done) {
  for (auto& id : ids)
    if (const auto found = merged.find(id); found != merged.end())
      id = found->second;
  done(std::move(ids));
}

void fake_backend::present_filter(filter f, const filter& forced,
                                  reply_to<filter> done) {
  {
    const std::lock_guard lock{mutex_};
    present_filter_forced = forced;
  }
  if (on_present_filter)
    on_present_filter(std::move(f), std::move(done));
  else
    done(std::move(f));
}

void fake_backend::processors(
    reply<std::vector<eventweft::processing::processor_state>> r) {
  eventweft::processing::processor_state p;
  p.name = "notify";
  p.kind = "exec";
  p.state = "running";
  p.completed = 12;
  eventweft::processing::processor_state theirs;
  theirs.name = "theirs";
  theirs.kind = "exec";
  theirs.state = "elsewhere";
  theirs.owner = "node-b";
  r(std::vector{p, theirs});
}

void fake_backend::drop_processor(std::string name, reply<uint64_t> r) {
  if (name == "gone")
    r(uint64_t{11});
  else
    r(fail(ec::conflict, "processor " + name + " is there"));
}

void fake_backend::dead_letters(dead_letter_query q,
                                reply<std::vector<dead_letter>> r) {
  std::vector<dead_letter> page;
  for (const auto& d : letters)
    if ((q.before.is_nil() || d.id < q.before) && (!q.id || *q.id == d.id) &&
        (q.origin.empty() || q.origin == d.origin) && page.size() < q.limit)
      page.push_back(d);
  r(std::move(page));
}

void fake_backend::drop_dead_letter(uuid id, reply<bool> r) {
  r(std::any_of(letters.begin(), letters.end(),
                [&](const auto& d) { return d.id == id; }));
}

void fake_backend::retry_dead_letter(uuid id, reply<bool> r) {
  if (std::none_of(letters.begin(), letters.end(),
                   [&](const auto& d) { return d.id == id; }))
    r(fail(ec::not_found, "there is no such dead letter"));
  else
    r(true);
}

void fake_backend::retry_dead_letters(dead_letter_query q, double rate,
                                      reply<dead_letter_retry> r) {
  if (retry_.running) {
    r(fail(ec::conflict, "another one is under way"));
    return;
  }
  retry_.running = true;
  retry_.what = std::move(q);
  retry_.rate = rate;
  r(retry_);
}

void fake_backend::retry_progress(reply<dead_letter_retry> r) {
  r(retry_);
}

void fake_backend::stop_retry(reply<dead_letter_retry> r) {
  retry_.stopped = retry_.running;
  retry_.running = false;
  r(retry_);
}

void fake_backend::drop_dead_letters(dead_letter_query q, reply<uint64_t> r) {
  r(static_cast<uint64_t>(
      std::count_if(letters.begin(), letters.end(), [&q](const auto& d) {
        return q.origin.empty() || q.origin == d.origin;
      })));
}

readiness fake_backend::ready() const {
  return {ready_state, {{"store", ready_state, "as the test says"}}};
}

std::string fake_backend::metrics_json() const {
  return "{\"queue\":{}}";
}
std::string fake_backend::metrics_text() const {
  return "up 1\n";
}

} // namespace eventweft::net
