// SPDX-License-Identifier: Apache-2.0
#include "persistence/memory/store.hpp"

#include "codec/filter.hpp"
#include "codec/json_text.hpp"
#include "persistence/batch.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace eventweft::memory {

namespace {

constexpr size_t default_max_events = 100'000;
constexpr size_t max_bytes_kept = 64u << 20;
constexpr size_t max_letters = 10'000;

bool is_or_starts(std::string_view text, std::string_view wanted) {
  return text == wanted || (text.starts_with(wanted) &&
                            text.substr(wanted.size()).starts_with(':'));
}

template <class Test>
bool any_of(const std::vector<std::string>& wanted, Test test) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), test);
}

/// Whether a string with that text, or that number or truth value, is there.
bool stands_at(const event& ev, const std::string& path,
               const std::string& text) {
  const auto is = [&](std::string json) {
    filter f;
    f.custom_filters.emplace(path, std::move(json));
    return codec::compiled_filter{f, {}}.matches(ev);
  };
  std::string quoted;
  codec::append_quoted(quoted, text);
  return is(std::move(quoted)) || (text != "null" && is(text));
}

bool matches_envelope(const event_query& q, const event& ev) {
  const auto is = [](const std::string& value) {
    return [&value](auto& wanted) { return wanted == value; };
  };
  return (!q.id || *q.id == ev.id) && any_of(q.event_ids, is(ev.event_id)) &&
         any_of(q.source_ids, is(ev.source_id)) &&
         any_of(q.actor_ids, is(ev.actor_id)) &&
         any_of(q.actor_names, is(ev.actor_name)) &&
         (q.priorities.empty() ||
          std::ranges::find(q.priorities, ev.priority) != q.priorities.end()) &&
         (!q.parent_event_id || q.parent_event_id == ev.parent_event_id) &&
         (!q.processed || *q.processed == ev.processed_at.has_value());
}

bool is_of_type(const std::string& type, const std::string& wanted) {
  return wanted.find('*') == std::string::npos
             ? is_or_starts(type, wanted)
             : codec::wildcard_match(wanted, type);
}

bool matches(const event_query& q, const event& ev) {
  if (!matches_envelope(q, ev))
    return false;
  for (const auto& [path, text] : q.conditions)
    if (!stands_at(ev, path, text))
      return false;
  return any_of(q.platforms, [&](auto& p) { return p == ev.platform; }) &&
         any_of(q.event_types,
                [&](auto& t) { return is_of_type(ev.event_type, t); }) &&
         any_of(q.source_names,
                [&](auto& n) {
                  return codec::wildcard_match(n, ev.source_name) &&
                         (!ev.source_name.empty() ||
                          n.find('*') != std::string::npos);
                }) &&
         any_of(q.actors,
                [&](auto& a) {
                  return !a.empty() && (a == ev.actor_id || a == ev.actor_name);
                }) &&
         (!q.correlation_id || q.correlation_id == ev.correlation_id) &&
         (!q.after || ev.seq > *q.after) &&
         (!q.since || ev.created_at >= *q.since) &&
         (!q.until || ev.created_at < *q.until);
}

bool matches(const dead_letter_query& q, const dead_letter& x) {
  return (!q.id || *q.id == x.id) &&
         (q.origin.empty() || is_or_starts(x.origin, q.origin)) &&
         any_of(q.platforms, [&](auto& p) { return p == x.platform; }) &&
         any_of(q.event_types,
                [&](auto& t) { return is_of_type(x.event_type, t); }) &&
         (!q.event_id || q.event_id == x.event_id) &&
         (!q.since || x.created_at >= *q.since) &&
         (!q.until || x.created_at < *q.until) &&
         (q.before.is_nil() || x.id < q.before);
}

/// The log that all sessions of a store share. Thread-safe.
class shared_log {
 public:
  explicit shared_log(size_t max_events) : max_events_(max_events) {}

  std::vector<append_result> append(std::span<const event_ptr> events) {
    std::lock_guard guard{mutex_};
    std::vector<append_result> out;
    out.reserve(events.size());
    for (const auto& ev : events)
      out.push_back(append(*ev));
    trim();
    return out;
  }

  seq_t head() const {
    std::lock_guard guard{mutex_};
    return head_;
  }

  log_range read_after(seq_t after, size_t max_events, size_t max_bytes) const {
    std::lock_guard guard{mutex_};
    log_range out{after + 1, after, {}};
    size_t bytes = 0;
    for (size_t i = index_after(after); i < events_.size(); ++i) {
      const auto& ev = events_[i];
      bytes += ev->payload.size();
      if (out.events.size() >= max_events ||
          (!out.events.empty() && bytes > max_bytes))
        break;
      out.events.push_back(ev);
      out.last = ev->seq;
    }
    return out;
  }

  std::optional<event_ptr> find(const uuid& id) const {
    std::lock_guard guard{mutex_};
    const auto found = by_id_.find(id);
    if (found == by_id_.end())
      return std::nullopt;
    return events_[index_after(found->second - 1)];
  }

  event_page query(const event_query& q) const {
    std::lock_guard guard{mutex_};
    event_page out;
    uint64_t bytes = 0;
    const auto take = [&](const event_ptr& ev) {
      if (!matches(q, *ev))
        return true;
      if (out.events.size() == q.limit ||
          (!out.events.empty() && bytes >= q.max_bytes)) {
        out.next_cursor = out.events.back()->seq;
        return false;
      }
      out.events.push_back(ev);
      bytes += ev->payload.size();
      return true;
    };
    if (q.ascending) {
      for (auto i = index_after(q.cursor); i < events_.size(); ++i)
        if (!take(events_[i]))
          break;
    } else {
      auto i = q.cursor == 0 ? events_.size() : index_after(q.cursor - 1);
      while (i > 0 && take(events_[i - 1]))
        --i;
    }
    return out;
  }

  seq_t seq_before(timestamp t) const {
    std::lock_guard guard{mutex_};
    for (const auto& ev : events_)
      if (ev->created_at >= t)
        return ev->seq - 1;
    return head_;
  }

  void add(const dead_letter& letter) {
    std::lock_guard guard{mutex_};
    auto kept = letter;
    kept.reason = storable_text(kept.reason);
    letters_.emplace(kept.id, std::move(kept));
    if (letters_.size() > max_letters)
      letters_.erase(letters_.begin());
  }

  std::vector<dead_letter> letters(const dead_letter_query& q) const {
    std::lock_guard guard{mutex_};
    std::vector<dead_letter> out;
    for (auto i = letters_.rbegin();
         i != letters_.rend() && out.size() < q.limit; ++i) {
      if (!matches(q, i->second))
        continue;
      auto& letter = out.emplace_back(i->second);
      if (!q.bodies)
        letter.body_bytes = std::exchange(letter.body, {}).size();
    }
    return out;
  }

  bool drop(const uuid& id) {
    std::lock_guard guard{mutex_};
    return letters_.erase(id) > 0;
  }

 private:
  using delivery = std::pair<std::string, std::string>;

  append_result append(const event& ev) {
    append_result out;
    out.outcome.id = ev.id;
    const auto known = by_delivery_.find({ev.platform, ev.event_id});
    if (known != by_delivery_.end()) {
      const auto& first = *events_[index_after(known->second - 1)];
      out.outcome = {first.id, first.seq, true, false};
      return out;
    }
    if (by_id_.contains(ev.id)) {
      out.refused = error{ec::row_refused, "there is an event of that id"};
      return out;
    }
    event stored = ev;
    stored.seq = ++head_;
    by_id_.emplace(stored.id, stored.seq);
    by_delivery_.emplace(delivery{stored.platform, stored.event_id},
                         stored.seq);
    bytes_ += stored.footprint();
    events_.emplace_back(std::move(stored));
    out.outcome.seq = head_;
    return out;
  }

  void trim() {
    while (events_.size() > 1 &&
           (events_.size() > max_events_ || bytes_ > max_bytes_kept)) {
      const auto& oldest = *events_.front();
      bytes_ -= oldest.footprint();
      by_id_.erase(oldest.id);
      by_delivery_.erase({oldest.platform, oldest.event_id});
      events_.pop_front();
    }
  }

  // Of the first event with seq > after; there are no holes.
  size_t index_after(seq_t after) const {
    if (events_.empty() || after < events_.front()->seq)
      return 0;
    return std::min(static_cast<size_t>(after - events_.front()->seq) + 1,
                    events_.size());
  }

  const size_t max_events_;
  mutable std::mutex mutex_;
  std::deque<event_ptr> events_;
  std::unordered_map<uuid, seq_t> by_id_;
  std::map<delivery, seq_t> by_delivery_;
  /// Ids are made in the order of time.
  std::map<uuid, dead_letter> letters_;
  size_t bytes_ = 0;
  seq_t head_ = 0;
};

class session final : public store_session {
 public:
  explicit session(std::shared_ptr<shared_log> log) : log_(std::move(log)) {}

  expected<std::vector<append_result>>
  append(std::span<const event_ptr> events) override {
    return log_->append(events);
  }

  expected<log_head> head() override { return log_head{log_->head()}; }

  expected<log_range> read_after(seq_t after, size_t max_events,
                                 size_t max_bytes) override {
    return log_->read_after(after, max_events, max_bytes);
  }

  expected<std::optional<event_ptr>> find(const uuid& id) override {
    return log_->find(id);
  }

  expected<event_page> query(const event_query& q) override {
    return log_->query(q);
  }

  expected<seq_t> seq_before(timestamp t) override {
    return log_->seq_before(t);
  }

  expected<void> add_dead_letter(const dead_letter& letter) override {
    log_->add(letter);
    return {};
  }

  expected<std::vector<dead_letter>>
  dead_letters(const dead_letter_query& q) override {
    return log_->letters(q);
  }

  expected<bool> drop_dead_letter(const uuid& id) override {
    return log_->drop(id);
  }

 private:
  std::shared_ptr<shared_log> log_;
};

/// By name. Thread-safe.
class shared_rules {
 public:
  std::vector<correlation::declarative_rule> all() const {
    std::lock_guard guard{mutex_};
    std::vector<correlation::declarative_rule> out;
    for (const auto& [name, rule] : rules_)
      out.push_back(rule);
    return out;
  }

  bool set(const correlation::declarative_rule& rule) {
    std::lock_guard guard{mutex_};
    return rules_.insert_or_assign(rule.name, rule).second;
  }

  bool drop(std::string_view name) {
    std::lock_guard guard{mutex_};
    return rules_.erase(std::string{name}) > 0;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, correlation::declarative_rule> rules_;
};

class rule_tables final : public correlation_rule_store {
 public:
  explicit rule_tables(std::shared_ptr<shared_rules> rules)
      : rules_(std::move(rules)) {}

  expected<std::vector<correlation::declarative_rule>> rules() override {
    return rules_->all();
  }
  expected<bool> set_rule(const correlation::declarative_rule& rule) override {
    return rules_->set(rule);
  }
  expected<bool> drop_rule(std::string_view name) override {
    return rules_->drop(name);
  }

 private:
  std::shared_ptr<shared_rules> rules_;
};

class memory_store final : public store {
 public:
  explicit memory_store(size_t max_events)
      : log_(std::make_shared<shared_log>(max_events)) {}

  std::string_view engine() const noexcept override { return "memory"; }

  std::string describe() const override {
    return "memory (nothing is kept beyond this process)";
  }

  expected<migration_report> migrate() override { return migration_report{}; }

  expected<migration_report> check_schema() override {
    return migration_report{};
  }

  std::unique_ptr<store_session> open_session() override {
    return std::make_unique<session>(log_);
  }

  std::unique_ptr<correlation_rule_store> open_correlation_rules() override {
    return std::make_unique<rule_tables>(rules_);
  }

 private:
  std::shared_ptr<shared_log> log_;
  std::shared_ptr<shared_rules> rules_ = std::make_shared<shared_rules>();
};

} // namespace

expected<store_ptr> open(std::string_view limit) {
  size_t max_events = default_max_events;
  const auto* end = limit.data() + limit.size();
  if (!limit.empty()) {
    const auto [at, code] = std::from_chars(limit.data(), end, max_events);
    if (code != std::errc{} || at != end || max_events == 0)
      return fail(ec::bad_configuration,
                  "the store's address memory:N needs a number of events "
                  "above 0");
  }
  return std::make_shared<memory_store>(max_events);
}

} // namespace eventweft::memory
