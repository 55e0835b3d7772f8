// SPDX-License-Identifier: Apache-2.0
#include "persistence/auto_migrate.hpp"

#include <atomic>
#include <mutex>
#include <utility>

namespace eventweft {

namespace {

// What all sessions of one store share.
class schema_gate {
 public:
  schema_gate(store_ptr inner, bool migrate)
      : inner_(std::move(inner)), migrate_(migrate) {
    // nop
  }

  store& inner() const noexcept { return *inner_; }

  expected<migration_report> migrate() {
    std::lock_guard guard{mutex_};
    auto report = inner_->migrate();
    if (report)
      open_ = true;
    return report;
  }

  expected<void> pass() {
    if (open_)
      return {};
    if (migrate_) {
      if (auto report = migrate(); !report)
        return fail(report.error());
      return {};
    }
    std::lock_guard guard{mutex_};
    if (auto checked = inner_->check_schema(); !checked)
      return fail(checked.error());
    open_ = true;
    return {};
  }

 private:
  store_ptr inner_;
  bool migrate_;
  std::mutex mutex_;
  std::atomic<bool> open_{false};
};

class gated_session final : public store_session {
 public:
  gated_session(std::shared_ptr<schema_gate> gate,
                std::unique_ptr<store_session> inner)
      : gate_(std::move(gate)), inner_(std::move(inner)) {
    // nop
  }

  expected<std::vector<append_result>>
  append(std::span<const event_ptr> events) override {
    return passed([&] { return inner_->append(events); });
  }

  expected<append_results>
  append_and_join(std::span<const event_ptr> events) override {
    return passed([&] { return inner_->append_and_join(events); });
  }

  expected<append_results>
  append_unsynced(std::span<const event_ptr> events) override {
    return passed([&] { return inner_->append_unsynced(events); });
  }

  expected<void> make_durable(std::span<const log_mark> appended) override {
    return passed([&] { return inner_->make_durable(appended); });
  }

  expected<log_head> head() override {
    return passed([&] { return inner_->head(); });
  }

  expected<log_range> read_after(seq_t after, size_t max_events,
                                 size_t max_bytes) override {
    return passed(
        [&] { return inner_->read_after(after, max_events, max_bytes); });
  }

  expected<std::optional<event_ptr>> find(const uuid& id) override {
    return passed([&] { return inner_->find(id); });
  }

  expected<event_page> query(const event_query& q) override {
    return passed([&] { return inner_->query(q); });
  }

  expected<std::vector<uuid>>
  present_threads(std::span<const uuid> ids) override {
    return passed([&] { return inner_->present_threads(ids); });
  }

  expected<places_page> places(const places_request& r) override {
    return passed([&] { return inner_->places(r); });
  }

  expected<seq_t> seq_before(timestamp t) override {
    return passed([&] { return inner_->seq_before(t); });
  }

  expected<void> add_dead_letter(const dead_letter& letter) override {
    return passed([&] { return inner_->add_dead_letter(letter); });
  }

  expected<std::vector<dead_letter>>
  dead_letters(const dead_letter_query& q) override {
    return passed([&] { return inner_->dead_letters(q); });
  }

  expected<bool> drop_dead_letter(const uuid& id) override {
    return passed([&] { return inner_->drop_dead_letter(id); });
  }

 private:
  template <class Call>
  auto passed(Call call) -> decltype(call()) {
    if (auto ok = gate_->pass(); !ok)
      return fail(ok.error());
    return call();
  }

  std::shared_ptr<schema_gate> gate_;
  std::unique_ptr<store_session> inner_;
};

class gated_store final : public store {
 public:
  gated_store(store_ptr inner, bool migrate)
      : gate_(std::make_shared<schema_gate>(std::move(inner), migrate)) {
    // nop
  }

  std::string_view engine() const noexcept override {
    return gate_->inner().engine();
  }
  std::string describe() const override { return gate_->inner().describe(); }
  expected<migration_report> migrate() override { return gate_->migrate(); }
  expected<migration_report> check_schema() override {
    return gate_->inner().check_schema();
  }
  expected<void> check_rights() override {
    return gate_->inner().check_rights();
  }
  void give_up() override { gate_->inner().give_up(); }
  std::unique_ptr<store_session> open_session() override {
    return std::make_unique<gated_session>(gate_,
                                           gate_->inner().open_session());
  }
  std::unique_ptr<thread_store> open_threads() override {
    return gate_->inner().open_threads();
  }
  std::unique_ptr<credential_store> open_credentials() override {
    return gate_->inner().open_credentials();
  }
  std::unique_ptr<ticket_store> open_tickets() override {
    return gate_->inner().open_tickets();
  }
  std::unique_ptr<store_maintenance> open_maintenance() override {
    return gate_->inner().open_maintenance();
  }
  std::unique_ptr<store_reports> open_reports() override {
    return gate_->inner().open_reports();
  }
  std::unique_ptr<processing_store> open_processing() override {
    return gate_->inner().open_processing();
  }
  std::unique_ptr<subscription_store> open_subscriptions() override {
    return gate_->inner().open_subscriptions();
  }
  std::unique_ptr<correlation_rule_store> open_correlation_rules() override {
    return gate_->inner().open_correlation_rules();
  }

  std::unique_ptr<store_nodes> open_nodes() override {
    return gate_->inner().open_nodes();
  }

  std::unique_ptr<store_listener> open_listener() override {
    return gate_->inner().open_listener();
  }

 private:
  std::shared_ptr<schema_gate> gate_;
};

} // namespace

store_ptr with_schema_check(store_ptr inner, bool migrate) {
  return std::make_shared<gated_store>(std::move(inner), migrate);
}

} // namespace eventweft
