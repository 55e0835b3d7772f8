// SPDX-License-Identifier: Apache-2.0
#include "persistence/memory/store.hpp"

#include "persistence/memory/letters.hpp"
#include "persistence/memory/log.hpp"

#include <charconv>
#include <map>
#include <mutex>
#include <utility>

namespace eventweft::memory {

namespace {

constexpr size_t default_max_events = 100'000;
constexpr size_t max_bytes_kept = 64u << 20;
constexpr size_t max_letters = 10'000;
constexpr size_t max_letter_bytes = 64u << 20;

class session final : public store_session {
 public:
  session(std::shared_ptr<shared_log> log,
          std::shared_ptr<shared_letters> letters)
      : log_(std::move(log)), letters_(std::move(letters)) {}

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
    letters_->add(letter);
    return {};
  }

  expected<std::vector<dead_letter>>
  dead_letters(const dead_letter_query& q) override {
    return letters_->find(q);
  }

  expected<bool> drop_dead_letter(const uuid& id) override {
    return letters_->drop(id);
  }

 private:
  std::shared_ptr<shared_log> log_;
  std::shared_ptr<shared_letters> letters_;
};

class processing_session final : public processing_store {
 public:
  explicit processing_session(std::shared_ptr<shared_log> log)
      : log_(std::move(log)) {}

  expected<std::vector<processing::stored_mark>>
  marks(std::string_view processor) override {
    return log_->marks(processor);
  }

  expected<processing::named_marks> known() override {
    return log_->all_marks();
  }

  // There is no other node that could own it.
  expected<void> record(std::string_view processor, const fence&,
                        const processing::changes& what) override {
    return log_->record(processor, what);
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
  memory_store(size_t max_events, const memory_hooks& hooks)
      : log_(std::make_shared<shared_log>(max_events, max_bytes_kept, hooks)),
        letters_(std::make_shared<shared_letters>(max_letters, max_letter_bytes,
                                                  hooks.letter_gone)) {}

  std::string_view engine() const noexcept override { return "memory"; }

  std::string describe() const override {
    return "memory (nothing is kept beyond this process)";
  }

  expected<migration_report> migrate() override { return migration_report{}; }

  expected<migration_report> check_schema() override {
    return migration_report{};
  }

  std::unique_ptr<store_session> open_session() override {
    return std::make_unique<session>(log_, letters_);
  }

  std::unique_ptr<processing_store> open_processing() override {
    return std::make_unique<processing_session>(log_);
  }

  std::unique_ptr<correlation_rule_store> open_correlation_rules() override {
    return std::make_unique<rule_tables>(rules_);
  }

 private:
  std::shared_ptr<shared_log> log_;
  std::shared_ptr<shared_letters> letters_;
  std::shared_ptr<shared_rules> rules_ = std::make_shared<shared_rules>();
};

} // namespace

expected<store_ptr> open(std::string_view limit, const store_options& options) {
  size_t max_events = default_max_events;
  const auto* end = limit.data() + limit.size();
  if (!limit.empty()) {
    const auto [at, code] = std::from_chars(limit.data(), end, max_events);
    if (code != std::errc{} || at != end || max_events == 0)
      return fail(ec::bad_configuration,
                  "the store's address memory:N needs a number of events "
                  "above 0");
  }
  return std::make_shared<memory_store>(max_events, options.memory);
}

} // namespace eventweft::memory
