export {
  consumeModes,
  type KafkaAdmin,
  type KafkaConnection,
  type KafkaConsumer,
  type KafkaProducer,
  kafkaAdmin,
  kafkaConsumer,
  kafkaProducer,
} from "./driver.ts";
export { isUnreadable, kafkaCode, kafkaError, reasonOf } from "./refusal.ts";
export { connectionOf, kafkaBroker, kafkaSasl, kafkaTls, kafkaTopic } from "./settings.ts";
