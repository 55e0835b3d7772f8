// SPDX-License-Identifier: Apache-2.0
// Who reads a stream, as `GET /api/v1/streams/{name}/readers` shows it.
#include "fixture.hpp"
#include "net/readers.hpp"

#include <boost/json.hpp>

#include <set>

namespace eventweft::net {
namespace {

namespace json = boost::json;

class readers_list : public server_test {
 protected:
  json::object page(const std::string& query = {}) {
    const auto answer =
        connect().ask(get("/api/v1/streams/all_events/readers" + query));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body).as_object();
  }
  json::array all(const std::string& query = {}) {
    return page(query).at("readers").as_array();
  }
  /// The one reader once it is in that state.
  json::object once(std::string_view state) {
    json::object found;
    EXPECT_TRUE(backend_.wait([&] {
      const auto list = all();
      if (list.size() != 1 || list[0].at("state").as_string() != state)
        return false;
      found = list[0].as_object();
      return true;
    })) << state
        << json::serialize(all());
    return found;
  }
};

TEST_F(readers_list, ShowsHowEachReaderIs) {
  start();
  EXPECT_EQ(all().size(), 0u);
  ws_client c{port_, "/ws/events/all_events?filter="
                     "%7B%22event_types%22%3A%5B%22push%22%5D%7D"};
  auto r = once("live");
  EXPECT_EQ(r.at("protocol").as_string(), "websocket");
  EXPECT_EQ(r.at("format").as_string(), "native");
  EXPECT_EQ(r.at("filter"), json::parse(R"({"event_types":["push"]})"));
  EXPECT_EQ(r.at("cursor").as_int64(), 0);
  EXPECT_TRUE(r.at("acknowledged").is_null());
  EXPECT_TRUE(r.at("credit").is_null());
  EXPECT_EQ(r.at("sent").as_int64(), 0);
  EXPECT_EQ(r.at("address").as_string(), "127.0.0.1");
  EXPECT_TRUE(parse_rfc3339(r.at("opened_at").as_string().c_str()));

  backend_.commit(2, "push");
  backend_.commit(1, "issues");
  EXPECT_EQ(c.read_seq(), 1);
  EXPECT_EQ(c.read_seq(), 2);
  c.send(R"({"ack":2})");
  EXPECT_TRUE(acknowledged(2));
  r = once("live");
  EXPECT_EQ(r.at("sent").as_int64(), 2);
  EXPECT_GT(r.at("sent_bytes").as_int64(), 100);
  // What does not match moves the cursor as well.
  EXPECT_EQ(r.at("cursor").as_int64(), 3);
  EXPECT_EQ(r.at("matched").as_int64(), 2);
  EXPECT_EQ(r.at("last_seq").as_int64(), 2);
  EXPECT_EQ(r.at("errors").as_int64(), 0);
  c.send(R"({"nonsense":1})");
  EXPECT_TRUE(
      backend_.wait([&] { return once("live").at("errors").as_int64() == 1; }));

  c.send(R"({"filter":{"event_types":["issues"]}})");
  EXPECT_TRUE(backend_.wait([&] {
    return once("live").at("filter") ==
           json::parse(R"({"event_types":["issues"]})");
  }));
}

TEST_F(readers_list, ShowsWhoIsBehindAndWhy) {
  start();
  ws_client c{port_, "/ws/events/all_events?credit=1"};
  ASSERT_TRUE(backend_.wait([&] { return backend_.joins() == 1; }));
  backend_.commit(5);
  metrics_.set_head(5);
  EXPECT_EQ(c.read_seq(), 1);
  auto r = once("waiting");
  EXPECT_EQ(r.at("credit").as_int64(), 0);
  EXPECT_EQ(r.at("cursor").as_int64(), 1);
  EXPECT_EQ(r.at("lag_events").as_int64(), 4);
  EXPECT_GE(r.at("matched").as_int64(), r.at("sent").as_int64());
  EXPECT_EQ(r.at("last_seq").as_int64(), 1);
  EXPECT_GE(r.at("lag_seconds").as_double(), 0.0);
  c.send(R"({"pause":true})");
  once("paused");
  c.send(R"({"credit":9})");
  c.send(R"({"resume":true})");
  EXPECT_EQ(c.read_seq(), 2);
  r = once("live");
  EXPECT_EQ(r.at("credit").as_int64(), 5);
  EXPECT_EQ(r.at("lag_events").as_int64(), 0);
  EXPECT_EQ(json::value_to<double>(r.at("lag_seconds")), 0.0);
}

TEST_F(readers_list, IsReadInPagesOverAllThreads) {
  server_.threads = 3;
  start();
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int i = 0; i != 7; ++i) {
    auto& c = *clients.emplace_back(std::make_unique<raw_client>(port_));
    c.send(get("/events/stream/all_events?format=cloudevents"));
    c.read_until("id: 0\n\n");
  }
  raw_client other{port_};
  other.send(get("/events/stream/issue_events"));
  other.read_until("id: 0\n\n");
  std::set<std::string> seen;
  std::string cursor;
  size_t pages = 0;
  do {
    const auto p =
        page("?limit=3" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& r : p.at("readers").as_array()) {
      EXPECT_EQ(r.at("protocol").as_string(), "sse");
      EXPECT_EQ(r.at("format").as_string(), "cloudevents");
      EXPECT_TRUE(seen.emplace(r.at("id").as_string()).second);
    }
    ++pages;
    cursor = p.at("next_cursor").is_null()
                 ? ""
                 : std::string{p.at("next_cursor").as_string()};
  } while (!cursor.empty() && pages < 10);
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(pages, 3u);
  clients.clear();
  EXPECT_TRUE(backend_.wait([&] { return all().empty(); }));
}

TEST_F(readers_list, RefusesWhatItCantRead) {
  start();
  const auto status = [&](const std::string& target) {
    return connect().ask(get(target)).status;
  };
  EXPECT_EQ(status("/api/v1/streams/nothing/readers"), 404);
  EXPECT_EQ(status("/api/v1/streams/all_events/readers?limit=0"), 400);
  EXPECT_EQ(status("/api/v1/streams/all_events/readers?limit=1001"), 400);
  EXPECT_EQ(status("/api/v1/streams/all_events/readers?cursor=7"), 400);
  EXPECT_EQ(status("/api/v1/streams/all_events/readers?x=1"), 400);
}

} // namespace
} // namespace eventweft::net
