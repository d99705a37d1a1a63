"""The sale: catalogue, age check, payment, dispensing and the journal. It knows neither camera frames nor Qt."""
