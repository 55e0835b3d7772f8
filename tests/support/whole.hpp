// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/actor_tree.hpp"
#include "app/bridge.hpp"
#include "tests/support/deterministic.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/recording_lane.hpp"

#include <charconv>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::testing {

/// A platform whose webhooks' bodies are the number of their one event.
/// Anything else is malformed; "hello" is a handshake, "3,4" a batch, and what
/// begins with "forged" has no proof.
class number_platform final : public platforms::platform {
 public:
  explicit number_platform(std::shared_ptr<random_source> random)
      : random_(std::move(random)) {}

  std::string_view name() const noexcept override { return "github"; }

  expected<platforms::acceptance> accept(const webhook& w) const override {
    platforms::acceptance out;
    auto text = w.body.view();
    if (text == "hello") {
      out.answer.emplace();
      out.answer->body = "hello";
      return out;
    }
    if (text.starts_with("forged"))
      return fail(ec::unauthorized, "no proof");
    while (!text.empty()) {
      int number = 0;
      auto [end, code] =
          std::from_chars(text.data(), text.data() + text.size(), number);
      if (code != std::errc{})
        return fail(ec::malformed, "not a number");
      auto ev = make_event(number);
      ev.id = uuid::v7(w.received_at, *random_);
      out.events.push_back(std::move(ev));
      text.remove_prefix(static_cast<size_t>(end - text.data()));
      out.batch = out.batch || !text.empty();
      if (!text.empty())
        text.remove_prefix(1);
    }
    return out;
  }

 private:
  std::shared_ptr<random_source> random_;
};

/// What became of one webhook.
struct sent {
  int answers = 0;
  int status = 0;
  std::string body;
  std::optional<error> failed;

  bool acknowledged() const noexcept {
    return !failed && status >= 200 && status < 300;
  }
};

/// The whole tree of actors under its supervisor, with the bridge before it,
/// in virtual time on a store in memory.
class whole : public deterministic {
 protected:
  std::shared_ptr<memory_log> log = std::make_shared<memory_log>();
  std::shared_ptr<memory_spool_content> spooled =
      std::make_shared<memory_spool_content>();
  std::shared_ptr<recording_lane> lane = std::make_shared<recording_lane>();
  std::shared_ptr<stream_catalogue> catalogue =
      std::make_shared<stream_catalogue>();
  actor_host_parts parts;
  bridge_options options;
  std::vector<std::string> escalations;
  std::unique_ptr<bridge> line;
  supervisor_actor boss;

  whole() {
    parts.store = std::make_shared<memory_store>(log);
    parts.open_spool = [s = spooled] {
      return std::make_unique<memory_spool>(s);
    };
    parts.platforms = {std::make_shared<number_platform>(ctx.random)};
    parts.settings.event.max_workers = 2;
    parts.settings.supervisor.max_restarts = 100'000;
    options.platforms = {"github"};
    options.keeps_streams = false;
    // Everything of a process is there before its first message; here nothing
    // runs before the test says so.
  }

  void TearDown() override {
    if (line)
      line->end_subscriptions();
    if (boss) {
      auto stopped = request<void>(boss, stop_atom_v, uint32_t{10'000});
      advance(std::chrono::milliseconds{20'000});
      EXPECT_TRUE(stopped->value);
    }
    if (line)
      line->stop();
    deterministic::TearDown();
    boss = nullptr;
  }

  void start() {
    line = std::make_unique<bridge>(system, ctx, options, catalogue);
    supervisor_options o;
    o.max_restarts = parts.settings.supervisor.max_restarts;
    o.restart_max = std::chrono::milliseconds{400};
    o.escalate = [this](std::string why) { escalations.push_back(why); };
    o.end_subscriptions = [this] { line->end_subscriptions(); };
    boss = keep(spawn_supervisor(
        system, ctx, o, actor_tree(system, ctx, parts, worker_thread::shared)));
    run();
  }

  std::shared_ptr<sent> send(std::string body,
                             std::string platform = "github") {
    auto out = std::make_shared<sent>();
    webhook w;
    w.platform = std::move(platform);
    w.method = "POST";
    w.body = shared_text{std::move(body)};
    w.received_at = time->now();
    line->accept(std::move(w), [out](expected<webhook_answer> a) {
      ++out->answers;
      if (a) {
        out->status = a->status;
        out->body = a->body;
      } else {
        out->failed = a.error();
      }
    });
    return out;
  }

  std::shared_ptr<sent> send(int number) {
    return send(std::to_string(number));
  }

  std::shared_ptr<reader_control> open(reader_id id, start_point from = {},
                                       filter f = {},
                                       std::string stream = "all_events") {
    const auto out = std::make_shared<std::shared_ptr<reader_control>>();
    lane->readers[id];
    line->open_reader({id, lane, std::move(stream), std::move(f), from},
                      [out](expected<std::shared_ptr<reader_control>> c) {
                        if (c)
                          *out = *c;
                      });
    // A start of `now` is looked up.
    if (from.from == start_point::kind::now)
      run();
    return *out;
  }
};

} // namespace eventweft::testing
