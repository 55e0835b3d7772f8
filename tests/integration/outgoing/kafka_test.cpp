// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/kafka_poster.hpp"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <chrono>
#include <future>
#include <map>
#include <stdexcept>
#include <string>

namespace eventweft::outgoing {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 30s;

/// librdkafka's own brokers, on real sockets.
class mock_cluster {
 public:
  mock_cluster() {
    std::array<char, 512> text{};
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text.data(),
                           text.size());
    cluster_ = rd_kafka_mock_cluster_new(handle_, 1);
    rd_kafka_mock_topic_create(cluster_, "hub.events", 3, 1);
  }
  ~mock_cluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(handle_);
  }
  mock_cluster(const mock_cluster&) = delete;
  mock_cluster& operator=(const mock_cluster&) = delete;

  std::string server() const {
    std::string all = rd_kafka_mock_cluster_bootstraps(cluster_);
    return all.substr(0, all.find(','));
  }
  std::string url() const { return "kafka://" + server() + "/hub.events"; }
  void set_down(bool down) {
    if (down)
      rd_kafka_mock_broker_set_down(cluster_, 1);
    else
      rd_kafka_mock_broker_set_up(cluster_, 1);
  }

  struct seen {
    int32_t partition;
    std::string key;
    std::string body;
  };

  /// Reads the topic from its start.
  std::vector<seen> consume(size_t count) {
    auto* conf = rd_kafka_conf_new();
    std::array<char, 512> text{};
    rd_kafka_conf_set(conf, "bootstrap.servers", server().c_str(), text.data(),
                      text.size());
    rd_kafka_conf_set(conf, "group.id", "test", text.data(), text.size());
    rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", text.data(),
                      text.size());
    auto* consumer =
        rd_kafka_new(RD_KAFKA_CONSUMER, conf, text.data(), text.size());
    rd_kafka_poll_set_consumer(consumer);
    auto* list = rd_kafka_topic_partition_list_new(3);
    for (int p = 0; p < 3; ++p)
      rd_kafka_topic_partition_list_add(list, "hub.events", p)->offset =
          RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    std::vector<seen> out;
    const auto until = std::chrono::steady_clock::now() + patience;
    while (out.size() < count && std::chrono::steady_clock::now() < until) {
      auto* m = rd_kafka_consumer_poll(consumer, 100);
      if (m == nullptr)
        continue;
      if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        out.push_back({m->partition,
                       {static_cast<const char*>(m->key), m->key_len},
                       {static_cast<const char*>(m->payload), m->len}});
      rd_kafka_message_destroy(m);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return out;
  }

 private:
  rd_kafka_t* handle_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

request message(const std::string& url, const std::string& body,
                const std::string& key) {
  request r;
  r.url = url;
  r.body = shared_text{body};
  r.headers = {{"webhook-id", "msg_1"}, {"eventweft-key", key}};
  r.total_timeout = 5s;
  return r;
}

result post(poster& p, request what) {
  auto answer = std::make_shared<std::promise<result>>();
  auto future = answer->get_future();
  p.post(std::move(what), [answer](result r) { answer->set_value(r); });
  if (future.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error{"no answer"};
  return future.get();
}

// Nobody there speaks TLS or knows a user, and nothing is sent without.
TEST(kafka_poster, DoesNotGoOnWithoutTheTlsThatWasAskedFor) {
  mock_cluster cluster;
  for (const auto* user : {"", "hub"}) {
    queue_access access;
    access.tls = *user == '\0';
    access.user = user;
    access.password = "secret";
    const auto p = make_kafka_poster(access);
    auto what = message(cluster.url(), "{}", "key");
    what.total_timeout = 2s;
    EXPECT_FALSE(post(*p, std::move(what)));
  }
}

TEST(kafka_poster, IsDoneOnceTheBrokersHaveIt) {
  mock_cluster cluster;
  const auto p = make_kafka_poster();
  for (int i = 0; i < 12; ++i) {
    const auto r = post(*p, message(cluster.url(), std::to_string(i),
                                    "thread-" + std::to_string(i % 4)));
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_EQ(r->status, 200);
  }
  const auto seen = cluster.consume(12);
  ASSERT_EQ(seen.size(), 12u);
  // A thread's events stay together and in order.
  std::map<std::string, std::pair<int32_t, int>> threads;
  for (const auto& m : seen) {
    const auto [i, is_new] =
        threads.try_emplace(m.key, m.partition, std::stoi(m.body));
    EXPECT_EQ(i->second.first, m.partition);
    if (!is_new) {
      EXPECT_LT(i->second.second, std::stoi(m.body));
    }
    i->second.second = std::stoi(m.body);
  }
  EXPECT_EQ(threads.size(), 4u);
}

TEST(kafka_poster, BrokersThatAreAwayAreAFailure) {
  mock_cluster cluster;
  const auto p = make_kafka_poster();
  ASSERT_TRUE(post(*p, message(cluster.url(), "1", "k")));
  cluster.set_down(true);
  auto late = message(cluster.url(), "2", "k");
  const auto r = post(*p, late);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::timed_out);
  cluster.set_down(false);
  const auto again = post(*p, message(cluster.url(), "3", "k"));
  EXPECT_TRUE(again) << again.error().message;
}

TEST(kafka_poster, ItsEndFailsWhatIsUnderWay) {
  mock_cluster cluster;
  auto p = make_kafka_poster();
  ASSERT_TRUE(post(*p, message(cluster.url(), "1", "k")));
  cluster.set_down(true);
  std::promise<result> answer;
  p->post(message(cluster.url(), "2", "k"),
          [&](result r) { answer.set_value(std::move(r)); });
  p.reset();
  const auto r = answer.get_future().get();
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, failure_kind::shutting_down);
}

} // namespace
} // namespace eventweft::outgoing
