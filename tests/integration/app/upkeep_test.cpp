// SPDX-License-Identifier: Apache-2.0
#include "app/cli/commands.hpp"
#include "app/retention.hpp"
#include "app/upkeep.hpp"
#include "tests/support/eventually.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <stdlib.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <sstream>

namespace eventweft {
namespace {

using namespace std::chrono_literals;

constexpr timestamp noon =
    std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 12h;

/// A SQLite store of its own with an old event and a new one.
class upkeep_test : public ::testing::Test {
 protected:
  upkeep_test() {
    auto pattern =
        (std::filesystem::temp_directory_path() / "upkeep-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    url_ = "sqlite:" + (directory_ / "log.db").string();
    store_options options;
    options.url = url_;
    store_ = *open_store(options);
    EXPECT_TRUE(store_->migrate());
    session_ = store_->open_session();
    store_event("old", noon - 100 * 24h);
    store_event("new", noon - 1h);
  }

  ~upkeep_test() override {
    session_.reset();
    std::filesystem::remove_all(directory_);
  }

  void store_event(const std::string& name, timestamp when) {
    event e;
    e.id = uuid::v7(when, random_);
    e.event_id = name;
    e.platform = "github";
    e.event_type = "push";
    e.created_at = when;
    e.payload = shared_text{std::string{"{}"}};
    const event_ptr one{std::move(e)};
    ASSERT_TRUE(session_->append(std::span{&one, 1}));
  }

  std::vector<std::string> names() {
    std::vector<std::string> out;
    const auto range = session_->read_after(0, 100, SIZE_MAX);
    for (const auto& ev : range.value().events)
      out.push_back(ev->event_id);
    return out;
  }

  template <class Condition>
  bool within(std::chrono::seconds patience, Condition holds) {
    return testing::eventually(holds, patience);
  }

  std::filesystem::path directory_;
  std::string url_;
  store_ptr store_;
  std::unique_ptr<store_session> session_;
  seeded_random random_{1};
};

TEST_F(upkeep_test, LetsGoOfWhatIsPastItsTimeByItself) {
  upkeep_options options;
  options.retention.keep = 90 * 24h;
  options.interval = 5ms;
  options.slow_interval = 5ms;
  const upkeep keeper{store_, options, std::make_shared<manual_clock>(noon),
                      null_logger()};
  EXPECT_TRUE(
      within(30s, [&] { return names() == std::vector<std::string>{"new"}; }));
}

/// Gives nothing; counts what is asked for.
class asked_owner final : public ownership {
 public:
  std::optional<fence> held(const std::string& work) override {
    ++(work == "retention" ? retention : others);
    return std::nullopt;
  }
  std::string holder(const std::string&) const override { return {}; }
  std::shared_ptr<void> on_change(std::function<void()>) override {
    return nullptr;
  }

  std::atomic<int> retention{0}, others{0};
};

// A node forgets work that nobody asks for within a minute.
TEST_F(upkeep_test, AsksForRetentionMoreOftenThanItRuns) {
  const auto owner = std::make_shared<asked_owner>();
  upkeep_options options;
  options.retention.keep = 24h * 30;
  options.interval = 1ms;
  options.slow_interval = 1h;
  const auto time = std::make_shared<manual_clock>(noon);
  {
    upkeep keeper{store_, options, time, null_logger(), owner};
    EXPECT_TRUE(within(10s, [&] { return owner->retention > 5; }));
  }
  owner->retention = owner->others = 0;
  options.retention.keep.reset();
  upkeep keeper{store_, options, time, null_logger(), owner};
  EXPECT_TRUE(within(10s, [&] { return owner->others > 5; }));
  EXPECT_EQ(owner->retention, 0);
}

TEST_F(upkeep_test, RollsUpFiguresAndKeepsAllWithoutAPolicy) {
  upkeep_options options;
  options.interval = 5ms;
  options.slow_interval = 5ms;
  const upkeep keeper{store_, options, std::make_shared<manual_clock>(noon),
                      null_logger()};
  auto session = store_->open_maintenance();
  EXPECT_TRUE(within(30s, [&] {
    int64_t events = 0;
    const auto rows = session->metrics({});
    for (const auto& row : rows.value())
      events += row.events;
    return events == 2;
  }));
  EXPECT_EQ(names(), (std::vector<std::string>{"old", "new"}));
}

TEST_F(upkeep_test, KeepsSamplesAndReports) {
  upkeep_options options;
  options.interval = 5ms;
  options.slow_interval = 5ms;
  options.stored = std::make_shared<store_figures>(1);
  EXPECT_EQ(options.stored->report(), "null");
  const auto sample = [&](timestamp at) {
    options.stored->add(
        {at, "commit", "github", "push", uuid::v7(at, random_), 1500us, 3});
  };
  sample(noon - 1min);
  sample(noon - 8 * 24h);
  const upkeep keeper{store_, options, std::make_shared<manual_clock>(noon),
                      null_logger()};
  const auto told = [&](std::string_view text) {
    return options.stored->report().find(text) != std::string::npos;
  };
  EXPECT_TRUE(within(30s, [&] {
    return told(R"("platform":"github","events":1,)") &&
           told(R"({"stage":"commit","samples":1,"average":0.001500,)"
                R"("median":0.001500,"percentile_95":0.001500,)"
                R"("maximum":0.001500})");
  })) << options.stored->report();
  // Those of last week are gone.
  auto reports = store_->open_reports();
  EXPECT_TRUE(within(30s, [&] {
    return reports->read(noon - 8 * 24h + 1min)->stages.size() <= 1 &&
           *reports->forget_samples(noon - 7 * 24h) == 0;
  }));
}

/// A store of which somebody has uncounted events, so many a call, and of which
/// one event goes and another must stay.
class uncounted_store final : public store {
 public:
  class maintenance final : public store_maintenance {
   public:
    maintenance(std::deque<int64_t> pieces, std::atomic<int>& calls,
                std::atomic<int>& rounds)
        : pieces_(std::move(pieces)), calls_(calls), rounds_(rounds) {}

    expected<int> prepare_partitions(timestamp) override { return 0; }
    expected<int64_t> roll_up_metrics() override {
      ++calls_;
      if (pieces_.empty())
        return 0;
      const auto counted = pieces_.front();
      pieces_.pop_front();
      return counted;
    }
    expected<std::vector<retention_item>>
    apply_retention(const retention_policy&, timestamp, bool, size_t) override {
      using kind = retention_item::kind;
      const retention_item gone{kind::delete_events, "slack", {}, 1, 2, {}};
      const retention_item kept{kind::keep_events,       "slack", {}, 1, 2,
                                "a dead letter needs it"};
      return rounds_++ == 0 ? std::vector{gone, kept} : std::vector{kept};
    }
    expected<std::vector<metrics_row>> metrics(const metrics_query&) override {
      return std::vector<metrics_row>{};
    }
    expected<void>
    record_performance(std::span<const performance_sample>) override {
      return {};
    }

   private:
    std::deque<int64_t> pieces_;
    std::atomic<int>& calls_;
    std::atomic<int>& rounds_;
  };

  std::string_view engine() const noexcept override { return "none"; }
  std::string describe() const override { return "none"; }
  expected<migration_report> migrate() override { return migration_report{}; }
  expected<migration_report> check_schema() override {
    return migration_report{};
  }
  std::unique_ptr<store_session> open_session() override { return nullptr; }
  std::unique_ptr<store_maintenance> open_maintenance() override {
    return std::make_unique<maintenance>(
        std::deque<int64_t>{metrics_at_once, metrics_at_once, 7, 5}, calls,
        rounds);
  }

  std::atomic<int> calls = 0;
  std::atomic<int> rounds = 0;
};

// A busy log grows by more than one piece an interval.
TEST_F(upkeep_test, RollsUpAllThereIsAtOnce) {
  const auto uncounted = std::make_shared<uncounted_store>();
  upkeep_options options;
  options.interval = 1h;
  const upkeep keeper{uncounted, options, std::make_shared<manual_clock>(noon),
                      null_logger()};
  EXPECT_TRUE(within(30s, [&] { return uncounted->calls == 3; }));
}

TEST_F(upkeep_test, WhatMustStayIsLoggedOnceARun) {
  const auto scripted = std::make_shared<uncounted_store>();
  std::ostringstream out;
  upkeep_options options;
  options.retention.keep = 24h;
  {
    const upkeep keeper{
        scripted, options, std::make_shared<manual_clock>(noon),
        std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out))};
    EXPECT_TRUE(within(30s, [&] { return scripted->rounds == 2; }));
  }
  const auto told = out.str();
  const auto kept = told.find("keep events slack: 1 events, a dead letter");
  ASSERT_NE(kept, std::string::npos) << told;
  EXPECT_EQ(told.find("keep events", kept + 1), std::string::npos) << told;
  EXPECT_LT(told.find("delete events slack: 1 events"), kept);
}

class retention_command_test : public upkeep_test {
 protected:
  config::load_options options(const std::string& keep) {
    config::load_options out;
    out.directory = directory_;
    out.flags = {{"--store", "store.url", url_},
                 {"--set", "retention.keep", keep}};
    return out;
  }

  std::ostringstream out_, err_;
  cli::console io_{out_, err_, false};
};

TEST_F(retention_command_test, DryRunTellsAndChangesNothing) {
  // Both are years old by the machine's clock.
  EXPECT_EQ(cli::retention(options("1d"), true, io_), cli::exit_ok);
  EXPECT_NE(out_.str().find("delete events  github  2 events"),
            std::string::npos)
      << out_.str();
  EXPECT_NE(out_.str().find("dry run"), std::string::npos);
  EXPECT_EQ(out_.str().find("Nothing would go"), std::string::npos);
  EXPECT_EQ(names().size(), 2u);
}

TEST_F(retention_command_test, DryRunSaysThatNothingWouldGo) {
  EXPECT_EQ(cli::retention(options("18000d"), true, io_), cli::exit_ok);
  EXPECT_EQ(out_.str(), "Nothing would go.\n"
                        "A dry run: nothing was changed.\n");
}

TEST_F(retention_command_test, DryRunSaysSoWhereAllMustStay) {
  const auto range = session_->read_after(0, 10, SIZE_MAX);
  for (const auto& ev : range.value().events) {
    dead_letter d;
    d.id = ev->id;
    d.event_id = ev->id;
    ASSERT_TRUE(session_->add_dead_letter(d));
  }
  EXPECT_EQ(cli::retention(options("1d"), true, io_), cli::exit_ok);
  EXPECT_EQ(out_.str(), "keep events  github  2 events, 4 bytes  "
                        "(a dead letter needs it)\n"
                        "Nothing would go.\n"
                        "A dry run: nothing was changed.\n");
}

TEST_F(retention_command_test, LetsGoOfWhatNoServerHasCountedYet) {
  EXPECT_EQ(cli::retention(options("1d"), false, io_), cli::exit_ok);
  EXPECT_EQ(out_.str().find("keep events"), std::string::npos) << out_.str();
  EXPECT_TRUE(names().empty());
  const auto rows = store_->open_maintenance()->metrics({});
  ASSERT_EQ(rows.value().size(), 2u);
  EXPECT_EQ(rows.value().front().events, 1);
}

TEST_F(retention_command_test, WhatMustStayIsToldOnce) {
  dead_letter d;
  d.id = session_->read_after(0, 1, SIZE_MAX).value().events.front()->id;
  d.event_id = d.id;
  ASSERT_TRUE(session_->add_dead_letter(d));
  EXPECT_EQ(cli::retention(options("1d"), false, io_), cli::exit_ok);
  EXPECT_EQ(out_.str(), "delete events  github  1 events, 2 bytes\n"
                        "keep events  github  1 events, 2 bytes  "
                        "(a dead letter needs it)\n");
  EXPECT_EQ(names(), std::vector<std::string>{"old"});
}

TEST_F(retention_command_test, NamesAKeyItCannotRead) {
  EXPECT_EQ(cli::retention(options("soon"), true, io_), cli::exit_usage);
  EXPECT_NE(err_.str().find("[retention] keep"), std::string::npos);
}

TEST_F(retention_command_test, SaysSoWhenNothingIsSet) {
  EXPECT_EQ(cli::retention(options(""), false, io_), cli::exit_ok);
  EXPECT_NE(out_.str().find("Nothing goes"), std::string::npos);
}

TEST_F(retention_command_test, RefusesPlatformsThatNobodyKnows) {
  auto wanted = options("1d");
  wanted.flags.push_back(
      {"--set platforms.shop.keep", "platforms.shop.keep", "10d"});
  EXPECT_EQ(cli::retention(wanted, true, io_), cli::exit_usage);
  EXPECT_NE(err_.str().find("[platforms.shop]: there is no such platform"),
            std::string::npos);
}

TEST(Retention, KeepsBelowAWindowAreNamed) {
  retention_policy policy;
  EXPECT_TRUE(keeps_below(policy, std::chrono::days{14}).empty());
  policy.keep = std::chrono::days{14};
  policy.platforms["slack"] = std::chrono::days{3};
  policy.platforms["github"] = std::chrono::days{90};
  policy.others = retention_policy::others_rule{std::chrono::hours{1}, {}};
  EXPECT_EQ(keeps_below(policy, std::chrono::days{14}),
            (std::vector<std::string>{"[platforms.slack] keep",
                                      "[platforms.events] keep"}));
  EXPECT_EQ(keeps_below(policy, std::chrono::days{15}).front(),
            "[retention] keep");
}

TEST(Retention, EventsStandsForAllCustomEvents) {
  config::settings s;
  s.platforms["events"].keep = "10d";
  s.platforms["github"].keep = "20d";
  const auto policy = retention_of(s);
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->platforms.size(), 1u);
  ASSERT_TRUE(policy->others);
  EXPECT_EQ(policy->others->keep, 240h);
  EXPECT_TRUE(policy->others->but.contains("github"));
  EXPECT_TRUE(policy->others->but.contains("stripe"));
  EXPECT_FALSE(policy->others->but.contains("events"));
}

TEST(Retention, PlatformsHaveTheirOwnTime) {
  config::settings s;
  s.retention.keep = "90d";
  s.platforms["slack"].keep = "30d";
  s.platforms["github"];
  const auto policy = retention_of(s);
  ASSERT_TRUE(policy);
  EXPECT_EQ(*policy->keep, 90 * 24h);
  ASSERT_EQ(policy->platforms.size(), 1u);
  EXPECT_EQ(policy->platforms.at("slack"), 30 * 24h);
}

} // namespace
} // namespace eventweft
