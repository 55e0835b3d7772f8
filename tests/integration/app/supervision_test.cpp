// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "app/actor_host.hpp"
#include "app/cli/commands.hpp"
#include "app/service.hpp"
#include "codec/payload.hpp"
#include "tests/support/eventually.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace eventweft {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

/// A server on a free port, asked by the command line.
class supervision_test : public ::testing::Test {
 protected:
  supervision_test() {
    auto name =
        (std::filesystem::temp_directory_path() / "superv-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    log_file_ = (directory_ / "log").string();
    config::settings s;
    s.store.url = "memory:";
    s.server.listen = "127.0.0.1:0";
    s.supervisor.restart_min = 10ms;
    s.platforms["events"].allow_unsigned = true;
    hub_ = std::make_unique<service>(
        s, make_logger({"info", "json", log_file_}).value(),
        [](const std::string& why) { ADD_FAILURE() << why; });
    const auto address = hub_->start();
    EXPECT_TRUE(address) << address.error().message;
    server_.url = "http://" + net::to_string(*address);
  }

  ~supervision_test() override {
    hub_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::string show_actors() {
    out_.str({});
    EXPECT_EQ(cli::actors({server_, false}, io_), cli::exit_ok) << err_.str();
    return out_.str();
  }

  int set_level(const std::string& component, const std::string& level) {
    out_.str({});
    return cli::log_level({server_, component, level}, io_);
  }

  std::string send_event() {
    out_.str({});
    cli::send_options o;
    o.server = server_;
    o.platform = "events";
    EXPECT_EQ(cli::send(o, io_), cli::exit_ok) << err_.str();
    const auto answer = out_.str();
    const auto at = answer.find("\"id\":\"");
    return answer.substr(at + 6, 36);
  }

  /// The components whose lines name the event, in the log's order.
  std::string way_of(const std::string& id) {
    std::string out;
    std::ifstream in{log_file_};
    codec::payload_reader reader;
    for (std::string line; std::getline(in, line);) {
      const auto root = reader.parse(line);
      EXPECT_TRUE(root) << line;
      if (root && codec::string_at(*root, "/event") == id)
        out += codec::string_at(*root, "/component") + ' ';
    }
    return out;
  }

  template <class Condition>
  bool within(std::chrono::seconds patience, Condition holds) {
    return testing::eventually(holds, patience);
  }

  std::filesystem::path directory_;
  std::string log_file_;
  std::unique_ptr<service> hub_;
  cli::connection server_;
  std::ostringstream out_, err_;
  cli::console io_{out_, err_, false};
};

TEST_F(supervision_test, ShowsTheTreeItsQueuesAndMailboxes) {
  const auto text = show_actors();
  for (const auto* part :
       {"supervisor", "  storage_writer", "  stream_hub",
        "  platform_worker:github", "  platform_worker:events",
        "  store_worker:writes", "  store_worker:syncs", "  store_worker:reads",
        "  dead_letters", "ingest", "storage_reader", "processors:critical",
        "processors:low"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, Not(HasSubstr("restarting")));
  // Those that are alike have one line.
  const auto github = text.find("platform_worker:github x");
  EXPECT_NE(github, std::string::npos) << text;
  EXPECT_EQ(text.find("platform_worker:github", github + 1), std::string::npos);
  EXPECT_THAT(text.substr(text.find("MAILBOX")), HasSubstr("storage_writer"));
  EXPECT_THAT(text.substr(text.find("QUEUE")),
              AllOf(HasSubstr("1000"), HasSubstr("spool")));
}

TEST_F(supervision_test, ARestartIsCountedWithItsReason) {
  const auto line_of_hub = [this] {
    const auto text = show_actors();
    const auto at = text.find("  stream_hub");
    return text.substr(at, text.find('\n', at) - at);
  };
  EXPECT_THAT(line_of_hub(), HasSubstr("running     0"));
  end_actor(hub_->actors().peers().hub.get(), caf::exit_reason::kill);
  EXPECT_TRUE(within(30s, [&] {
    return line_of_hub().find("running     1") != std::string::npos;
  })) << line_of_hub();
  EXPECT_THAT(line_of_hub(), HasSubstr("kill"));
}

TEST_F(supervision_test, OneSearchShowsAnEventsWay) {
  const auto silent = send_event();
  ASSERT_EQ(set_level("*", "debug"), cli::exit_ok) << err_.str();
  const auto id = send_event();
  EXPECT_TRUE(within(30s, [&] {
    return way_of(id).find("stream_hub") != std::string::npos;
  })) << way_of(id);
  EXPECT_THAT(way_of(id),
              AllOf(HasSubstr("platform_worker "), HasSubstr("storage_writer "),
                    HasSubstr("stream_hub ")));
  EXPECT_EQ(way_of(silent), "");
}

TEST_F(supervision_test, LevelsAreOfOneComponentAtATime) {
  ASSERT_EQ(set_level("storage_writer", "debug"), cli::exit_ok) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("storage_writer            debug"));
  for (const auto* other : {"stream_hub", "upkeep", "access"})
    EXPECT_THAT(out_.str(), ContainsRegex(std::string{other} + " +info"));
  const auto id = send_event();
  EXPECT_TRUE(within(30s, [&] { return way_of(id) == "storage_writer "; }))
      << way_of(id);
  EXPECT_EQ(set_level("nobody", "debug"), cli::exit_failure);
  EXPECT_EQ(set_level("*", "loud"), cli::exit_failure);
  EXPECT_EQ(set_level("stream_hub", ""), cli::exit_usage);
}

} // namespace
} // namespace eventweft
