// SPDX-License-Identifier: Apache-2.0
// A store that nobody waits for any longer, whatever it is doing. Its own
// limits are so long here that only this can end a call.
#include "tests/integration/persistence/store_fixture.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <netinet/in.h>
#include <pqxx/pqxx>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <thread>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

store_options patient(const std::string& url) {
  store_options o;
  o.url = url;
  o.connect_timeout = 1h;
  o.statement_timeout = 1h;
  o.lock_timeout = 1h;
  return o;
}

class give_up_contract : public store_contract {};

TEST_P(give_up_contract, NothingIsAskedOfItAnyMore) {
  append({numbered_event(1)});
  const auto other = open();
  store_->give_up();
  std::vector<event_ptr> one{event_ptr{numbered_event(2)}};
  EXPECT_EQ(session_->append(one).error().code, ec::store_unavailable);
  EXPECT_EQ(session_->head().error().code, ec::store_unavailable);
  EXPECT_EQ(store_->open_session()->head().error().code, ec::store_unavailable);
  EXPECT_EQ(store_->check_schema().error().code, ec::store_unavailable);
  EXPECT_EQ(store_->migrate().error().code, ec::store_unavailable);
  EXPECT_EQ(must(other->open_session()->head()).seq, 1);
}

INSTANTIATE_TEST_SUITE_P(Engines, give_up_contract, both_engines, engine_name);

/// Takes connections, and says nothing on them.
class silent_server {
 public:
  silent_server() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_, generic, size) != 0 || ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, generic, &size) != 0)
      throw std::runtime_error{"no socket"};
    port_ = ntohs(address.sin_port);
  }
  ~silent_server() { ::close(socket_); }
  silent_server(const silent_server&) = delete;
  silent_server& operator=(const silent_server&) = delete;

  uint16_t port() const noexcept { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// Returns once somebody is waiting for it.
  int take() const { return ::accept(socket_, nullptr, nullptr); }

 private:
  int socket_;
  uint16_t port_ = 0;
};

TEST(give_up, BreaksOffAConnectionThatIsBeingMade) {
  const silent_server silent;
  const auto store =
      must(open_store(patient("postgresql://u@" + silent.address() + "/d")));
  auto asked =
      std::async(std::launch::async, [&] { return store->check_schema(); });
  const int taken = silent.take();
  store->give_up();
  const auto failed = asked.get();
  ::close(taken);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::store_unavailable);
}

TEST(give_up, BreaksOffAListenerThatIsConnecting) {
  const silent_server silent;
  const auto store =
      must(open_store(patient("postgresql://u@" + silent.address() + "/d")));
  auto heard = std::async(std::launch::async,
                          [&] { return store->open_listener()->wait(1h); });
  const int taken = silent.take();
  store->give_up();
  const auto failed = heard.get();
  ::close(taken);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::store_unavailable);
}

TEST(give_up, BreaksOffAStatementThatTheServerWorksOn) {
  const auto url = migrated_database();
  const auto store = must(open_store(patient(url)));
  pqxx::connection holder{url};
  pqxx::work held{holder};
  held.exec("SELECT last_seq FROM log_head FOR UPDATE").one_row();
  auto appended = std::async(std::launch::async, [&] {
    std::vector<event_ptr> one{event_ptr{numbered_event(1)}};
    return store->open_session()->append(one);
  });
  wait_for_a_lock(url);
  store->give_up();
  const auto failed = appended.get();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::store_unavailable);
}

TEST(give_up, BreaksOffTheWaitForALockedFile) {
  const temporary_directory directory;
  const auto path = (directory.path() / "log.db").string();
  const auto store = must(open_store(patient("sqlite:" + path)));
  must(store->migrate());
  SQLite::Database holder{path, SQLite::OPEN_READWRITE};
  holder.exec("BEGIN IMMEDIATE");
  // One waits for the file, the other one for the first.
  std::promise<void> begun;
  auto appending = [&] {
    std::vector<event_ptr> one{event_ptr{numbered_event(1)}};
    return store->open_session()->append(one);
  };
  auto first = std::async(std::launch::async, [&] {
    begun.set_value();
    return appending();
  });
  begun.get_future().wait();
  auto second = std::async(std::launch::async, appending);
  store->give_up();
  for (auto* waiting : {&first, &second}) {
    const auto failed = waiting->get();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ec::store_unavailable);
  }
}

TEST(connecting, ASilentServerIsPassedOverForTheNextOne) {
  const silent_server silent;
  const auto port = std::to_string(shared_server().port());
  store_options o;
  o.url = "postgresql://postgres@" + silent.address() + ",127.0.0.1:" + port +
          "/postgres";
  o.connect_timeout = 100ms;
  const auto reached = must(open_store(o))->check_schema();
  ASSERT_FALSE(reached);
  EXPECT_EQ(reached.error().code, ec::schema_mismatch)
      << reached.error().message;

  o.url = "postgresql://postgres@" + silent.address() + "/postgres";
  const auto alone = must(open_store(o))->check_schema();
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code, ec::store_unavailable);
  EXPECT_THAT(alone.error().message, HasSubstr("does not answer"));
}

} // namespace
} // namespace eventweft::testing
