<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en">
<context>
    <name>DemoControls</name>
    <message>
        <source>Payment</source>
        <translation>Zahlung</translation>
    </message>
    <message>
        <source>Approve</source>
        <translation>Genehmigen</translation>
    </message>
    <message>
        <source>Decline</source>
        <translation>Ablehnen</translation>
    </message>
    <message>
        <source>Cancel at reader</source>
        <translation>Am Leser abbrechen</translation>
    </message>
    <message>
        <source>No card comes</source>
        <translation>Keine Karte kommt</translation>
    </message>
    <message>
        <source>Answer twice</source>
        <translation>Zweimal antworten</translation>
    </message>
    <message>
        <source>Stop answering</source>
        <translation>Nicht mehr antworten</translation>
    </message>
    <message>
        <source>Next payment</source>
        <translation>Nächste Zahlung</translation>
    </message>
    <message>
        <source>Late approval</source>
        <translation>Späte Genehmigung</translation>
    </message>
    <message>
        <source>Decline it</source>
        <translation>Nächste ablehnen</translation>
    </message>
    <message>
        <source>Approve, reply lost</source>
        <translation>Antwort geht verloren</translation>
    </message>
    <message>
        <source>Goods</source>
        <translation>Ware</translation>
    </message>
    <message>
        <source>Drop</source>
        <translation>Ausgeben</translation>
    </message>
    <message>
        <source>Jam</source>
        <translation>Klemmen</translation>
    </message>
    <message>
        <source>Drop nothing</source>
        <translation>Nichts ausgeben</translation>
    </message>
    <message>
        <source>Next vend</source>
        <translation>Nächste Ausgabe</translation>
    </message>
    <message>
        <source>Jam it</source>
        <translation>Nächste klemmt</translation>
    </message>
    <message>
        <source>Nothing falls</source>
        <translation>Nichts fällt</translation>
    </message>
    <message>
        <source>No answer</source>
        <translation>Keine Antwort</translation>
    </message>
    <message>
        <source>ID reader</source>
        <translation>Ausweisleser</translation>
    </message>
    <message>
        <source>ID of 40 years</source>
        <translation>Ausweis, 40 Jahre</translation>
    </message>
    <message>
        <source>ID of 15 years</source>
        <translation>Ausweis, 15 Jahre</translation>
    </message>
    <message>
        <source>Cables</source>
        <translation>Kabel</translation>
    </message>
    <message>
        <source>Pull terminal</source>
        <translation>Terminal abziehen</translation>
    </message>
    <message>
        <source>Plug terminal</source>
        <translation>Terminal anstecken</translation>
    </message>
    <message>
        <source>Pull dispenser</source>
        <translation>Ausgabe abziehen</translation>
    </message>
    <message>
        <source>Plug dispenser</source>
        <translation>Ausgabe anstecken</translation>
    </message>
</context>
<context>
    <name>DemoStrings</name>
    <message>
        <source>FacialNet Kiosk: controls of the simulation</source>
        <translation>FacialNet Kiosk: Bedienung der Simulation</translation>
    </message>
    <message>
        <source>Simulation</source>
        <translation>Simulation</translation>
    </message>
    <message>
        <source>No real money, no real goods. Staff PIN {attendant}; service PIN {service}, after five taps in the shop's upper left corner.</source>
        <translation>Kein echtes Geld, keine echte Ware. PIN des Personals {attendant}; Service-PIN {service}, nach fünfmal Tippen oben links im Verkaufsfenster.</translation>
    </message>
    <message>
        <source>Automatic: on</source>
        <translation>Automatik: an</translation>
    </message>
    <message>
        <source>Automatic: off</source>
        <translation>Automatik: aus</translation>
    </message>
    <message>
        <source>the terminal waits for you</source>
        <translation>das Terminal wartet auf Sie</translation>
    </message>
    <message>
        <source>the dispenser waits for you</source>
        <translation>die Ausgabe wartet auf Sie</translation>
    </message>
    <message>
        <source>the ID reader waits for you</source>
        <translation>der Ausweisleser wartet auf Sie</translation>
    </message>
    <message>
        <source>nothing is waiting</source>
        <translation>nichts zu tun</translation>
    </message>
    <message>
        <source>{phase}: {waits}</source>
        <translation>{phase}: {waits}</translation>
    </message>
    <message>
        <source>First screen</source>
        <translation>Erster Bildschirm</translation>
    </message>
    <message>
        <source>Products</source>
        <translation>Produkte</translation>
    </message>
    <message>
        <source>Product chosen</source>
        <translation>Produkt gewählt</translation>
    </message>
    <message>
        <source>Age check</source>
        <translation>Altersprüfung</translation>
    </message>
    <message>
        <source>ID requested</source>
        <translation>Ausweis erbeten</translation>
    </message>
    <message>
        <source>ID refused</source>
        <translation>Ausweis abgelehnt</translation>
    </message>
    <message>
        <source>Payment</source>
        <translation>Zahlung</translation>
    </message>
    <message>
        <source>Payment declined</source>
        <translation>Zahlung abgelehnt</translation>
    </message>
    <message>
        <source>Dispensing</source>
        <translation>Ausgabe läuft</translation>
    </message>
    <message>
        <source>Refunding</source>
        <translation>Erstattung läuft</translation>
    </message>
    <message>
        <source>Receipt</source>
        <translation>Beleg</translation>
    </message>
    <message>
        <source>Out of order</source>
        <translation>Außer Betrieb</translation>
    </message>
    <message>
        <source>Service</source>
        <translation>Service</translation>
    </message>
</context>
<context>
    <name>ServiceStrings</name>
    <message>
        <source>Service</source>
        <translation>Service</translation>
    </message>
    <message>
        <source>Service PIN</source>
        <translation>Service-PIN</translation>
    </message>
    <message>
        <source>Wrong PIN</source>
        <translation>Falsche PIN</translation>
    </message>
    <message>
        <source>Next try in {seconds} s</source>
        <translation>Nächster Versuch in {seconds} s</translation>
    </message>
    <message>
        <source>Please wait: a sale is ending</source>
        <translation>Bitte warten: Ein Verkauf endet gerade</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Back to the sale</source>
        <translation>Zurück zum Verkauf</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <source>Health</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Stock and prices</source>
        <translation>Bestand und Preise</translation>
    </message>
    <message>
        <source>To settle ({count})</source>
        <translation>Zu klären ({count})</translation>
    </message>
    <message>
        <source>To settle</source>
        <translation>Zu klären</translation>
    </message>
    <message>
        <source>Tests</source>
        <translation>Tests</translation>
    </message>
    <message>
        <source>Journal of today</source>
        <translation>Journal von heute</translation>
    </message>
    <message>
        <source>Export to USB</source>
        <translation>Export auf USB</translation>
    </message>
    <message>
        <source>Machine</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>known</source>
        <translation>bekannt</translation>
    </message>
    <message>
        <source>estimating</source>
        <translation>schätzt</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>unbekannt</translation>
    </message>
    <message>
        <source>#{number} · {status} · {quality}%</source>
        <translation>#{number} · {status} · {quality} %</translation>
    </message>
    <message>
        <source>live</source>
        <translation>lebend</translation>
    </message>
    <message>
        <source>not found live</source>
        <translation>nicht als lebend erkannt</translation>
    </message>
    <message>
        <source>no frames</source>
        <translation>keine Bilder</translation>
    </message>
    <message>
        <source>{fps} fps · {latency} ms</source>
        <translation>{fps} B/s · {latency} ms</translation>
    </message>
    <message>
        <source>No picture</source>
        <translation>Kein Bild</translation>
    </message>
    <message>
        <source>Vision</source>
        <translation>Bilderkennung</translation>
    </message>
    <message>
        <source>starting</source>
        <translation>startet</translation>
    </message>
    <message>
        <source>running</source>
        <translation>läuft</translation>
    </message>
    <message>
        <source>no camera</source>
        <translation>keine Kamera</translation>
    </message>
    <message>
        <source>restarting</source>
        <translation>startet neu</translation>
    </message>
    <message>
        <source>ended</source>
        <translation>beendet</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>ausgefallen</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Not saved: slot {slot} holds 0 to {capacity}</source>
        <translation>Nicht gespeichert: Fach {slot} fasst 0 bis {capacity}</translation>
    </message>
    <message>
        <source>Price not saved: it must be {least} to {most}</source>
        <translation>Preis nicht gespeichert: erlaubt sind {least} bis {most}</translation>
    </message>
    <message>
        <source>The journal cannot be used ({why}): check its disk and folder</source>
        <translation>Das Journal ist nicht benutzbar ({why}): Datenträger und Ordner prüfen</translation>
    </message>
    <message>
        <source>The journal is damaged ({what}). The next start saves it and creates a new one.</source>
        <translation>Das Journal ist beschädigt ({what}). Beim nächsten Start wird es gesichert und ein neues angelegt.</translation>
    </message>
    <message>
        <source>cancelled: nothing was written</source>
        <translation>abgebrochen: nichts wurde geschrieben</translation>
    </message>
    <message>
        <source>Accuracy</source>
        <translation>Genauigkeit</translation>
    </message>
    <message>
        <source>gender {gender}%, age group {age}%, within one {near}% on {faces} faces of {measured_on}</source>
        <translation>Geschlecht {gender}%, Altersgruppe {age}%, höchstens eine daneben {near}%; {faces} Gesichter aus {measured_on}</translation>
    </message>
    <message>
        <source>Terminal</source>
        <translation>Terminal</translation>
    </message>
    <message>
        <source>Dispenser</source>
        <translation>Ausgabe</translation>
    </message>
    <message>
        <source>Journal</source>
        <translation>Journal</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>Speicher</translation>
    </message>
    <message>
        <source>{gigabytes} GB free</source>
        <translation>{gigabytes} GB frei</translation>
    </message>
    <message>
        <source>connected</source>
        <translation>verbunden</translation>
    </message>
    <message>
        <source>not connected</source>
        <translation>nicht verbunden</translation>
    </message>
    <message>
        <source>{said}, simulated</source>
        <translation>{said}, simuliert</translation>
    </message>
    <message>
        <source>complete, last entry {head}</source>
        <translation>vollständig, letzter Eintrag {head}</translation>
    </message>
    <message>
        <source>new journal, see “To settle”; last entry {head}</source>
        <translation>neu angelegt, siehe „Zu klären“; letzter Eintrag {head}</translation>
    </message>
    <message>
        <source>cannot be written: restart the machine</source>
        <translation>nicht beschreibbar: Gerät neu starten</translation>
    </message>
    <message>
        <source>Program</source>
        <translation>Programm</translation>
    </message>
    <message>
        <source>not known yet</source>
        <translation>noch nicht bekannt</translation>
    </message>
    <message>
        <source>blocked: count it</source>
        <translation>gesperrt: bitte zählen</translation>
    </message>
    <message>
        <source>{count} uncertain: count it</source>
        <translation>{count} unsicher: bitte zählen</translation>
    </message>
    <message>
        <source>{count} of {capacity}</source>
        <translation>{count} von {capacity}</translation>
    </message>
    <message>
        <source>In the slot</source>
        <translation>Im Fach</translation>
    </message>
    <message>
        <source>Price</source>
        <translation>Preis</translation>
    </message>
    <message>
        <source>Full</source>
        <translation>Voll</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Speichern</translation>
    </message>
    <message>
        <source>Saved</source>
        <translation>Gespeichert</translation>
    </message>
    <message>
        <source>Nothing has to be settled</source>
        <translation>Es ist nichts zu klären</translation>
    </message>
    <message>
        <source>Sale {sale}, slot {slot}: did the product leave the machine?</source>
        <translation>Verkauf {sale}, Fach {slot}: Hat das Produkt das Gerät verlassen?</translation>
    </message>
    <message>
        <source>The dispenser later reported that it fell.</source>
        <translation>Die Ausgabe hat später gemeldet, dass es gefallen ist.</translation>
    </message>
    <message>
        <source>The dispenser later reported that nothing fell.</source>
        <translation>Die Ausgabe hat später gemeldet, dass nichts gefallen ist.</translation>
    </message>
    <message>
        <source>Slot {slot} failed: clear it, then count it</source>
        <translation>Fach {slot} gestört: frei machen, dann zählen</translation>
    </message>
    <message>
        <source>Payment {item}: the terminal has not confirmed the end of {money}. Check the card company's list.</source>
        <translation>Zahlung {item}: Das Terminal hat den Abschluss über {money} nicht bestätigt. Prüfen Sie die Liste des Kartenanbieters.</translation>
    </message>
    <message>
        <source>It came out</source>
        <translation>Ist herausgekommen</translation>
    </message>
    <message>
        <source>It is still inside</source>
        <translation>Ist noch im Gerät</translation>
    </message>
    <message>
        <source>Settled by hand</source>
        <translation>Von Hand geklärt</translation>
    </message>
    <message>
        <source>Count the slot</source>
        <translation>Fach zählen</translation>
    </message>
    <message>
        <source>Slot {slot}: {name}</source>
        <translation>Fach {slot}: {name}</translation>
    </message>
    <message>
        <source>Previous slot</source>
        <translation>Voriges Fach</translation>
    </message>
    <message>
        <source>Next slot</source>
        <translation>Nächstes Fach</translation>
    </message>
    <message>
        <source>Test vend</source>
        <translation>Probeausgabe</translation>
    </message>
    <message>
        <source>Test payment of {money}</source>
        <translation>Probezahlung über {money}</translation>
    </message>
    <message>
        <source>A payment test gives the money back</source>
        <translation>Eine Probezahlung gibt das Geld zurück</translation>
    </message>
    <message>
        <source>Running…</source>
        <translation>Läuft…</translation>
    </message>
    <message>
        <source>It worked</source>
        <translation>Erfolgreich</translation>
    </message>
    <message>
        <source>It failed</source>
        <translation>Fehlgeschlagen</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>Wird gelesen…</translation>
    </message>
    <message>
        <source>Nothing yet today</source>
        <translation>Heute noch nichts</translation>
    </message>
    <message>
        <source>{number} / {pages}</source>
        <translation>{number} / {pages}</translation>
    </message>
    <message>
        <source>No USB stick found under /media or /run/media</source>
        <translation>Kein USB-Stick unter /media oder /run/media gefunden</translation>
    </message>
    <message>
        <source>Where to?</source>
        <translation>Wohin?</translation>
    </message>
    <message>
        <source>Checking the journal…</source>
        <translation>Das Journal wird geprüft…</translation>
    </message>
    <message>
        <source>Writing… {percent}%</source>
        <translation>Wird geschrieben… {percent} %</translation>
    </message>
    <message>
        <source>Written: {files}. You can remove the stick.</source>
        <translation>Geschrieben: {files}. Sie können den Stick abziehen.</translation>
    </message>
    <message>
        <source>Not written (no space, or an error): {names}</source>
        <translation>Nicht geschrieben (kein Platz oder Fehler): {names}</translation>
    </message>
    <message>
        <source>Not written: {why}</source>
        <translation>Nicht geschrieben: {why}</translation>
    </message>
    <message>
        <source>Volume</source>
        <translation>Lautstärke</translation>
    </message>
    <message>
        <source>Brightness</source>
        <translation>Helligkeit</translation>
    </message>
    <message>
        <source>Out of order</source>
        <translation>Außer Betrieb</translation>
    </message>
    <message>
        <source>The system cannot change this screen's brightness</source>
        <translation>Die Helligkeit dieses Bildschirms kann das System nicht ändern</translation>
    </message>
    <message>
        <source>{value}%</source>
        <translation>{value} %</translation>
    </message>
    <message>
        <source>Take out of order</source>
        <translation>Außer Betrieb nehmen</translation>
    </message>
    <message>
        <source>Put back in order</source>
        <translation>In Betrieb nehmen</translation>
    </message>
    <message>
        <source>Really exit?</source>
        <translation>Wirklich beenden?</translation>
    </message>
    <message>
        <source>Exit the program</source>
        <translation>Programm beenden</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>The journal was damaged. It is saved in {folder}, and a new one was created. Count every slot, and reverse open payments at the terminal.</source>
        <translation>Das Journal war beschädigt. Es ist in {folder} gesichert, ein neues wurde angelegt. Zählen Sie jedes Fach, und buchen Sie offene Zahlungen am Terminal zurück.</translation>
    </message>
    <message>
        <source>The journal was missing, and a new one was created. Look for the old one or a copy, count every slot, and reverse open payments at the terminal. Remaining files are in {folder}.</source>
        <translation>Das Journal fehlte, ein neues wurde angelegt. Suchen Sie das alte oder eine Kopie, zählen Sie jedes Fach, und buchen Sie offene Zahlungen am Terminal zurück. Übrige Dateien liegen in {folder}.</translation>
    </message>
    <message>
        <source>Open payments: {payments}</source>
        <translation>Offene Zahlungen: {payments}</translation>
    </message>
</context>
<context>
    <name>ShopStrings</name>
    <message>
        <source>Simulated: no real money, no real goods</source>
        <translation>Simulation: kein echtes Geld, keine echte Ware</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <source>What would you like?</source>
        <translation>Was darf es sein?</translation>
    </message>
    <message>
        <source>A camera can estimate your age and gender while you shop, on this machine alone. No picture is stored or sent. Until you choose, nothing is estimated.</source>
        <translation>Eine Kamera kann beim Einkauf Ihr Alter und Geschlecht schätzen, nur in diesem Gerät. Kein Bild wird gespeichert oder gesendet. Bis Sie wählen, wird nichts geschätzt.</translation>
    </message>
    <message>
        <source>With the camera, the machine counts visitors per age group and hour.</source>
        <translation>Mit Kamera zählt das Gerät die Besucher je Altersgruppe und Stunde.</translation>
    </message>
    <message>
        <source>{said} {counted}</source>
        <translation>{said} {counted}</translation>
    </message>
    <message>
        <source>With the camera</source>
        <translation>Mit Kamera</translation>
    </message>
    <message>
        <source>See your live estimate</source>
        <translation>Sie sehen die Schätzung live</translation>
    </message>
    <message>
        <source>You may not need an ID for age limits</source>
        <translation>Kann bei Altersgrenzen den Ausweis ersparen</translation>
    </message>
    <message>
        <source>Without the camera</source>
        <translation>Ohne Kamera</translation>
    </message>
    <message>
        <source>Nothing is estimated</source>
        <translation>Nichts wird geschätzt</translation>
    </message>
    <message>
        <source>Large text</source>
        <translation>Große Schrift</translation>
    </message>
    <message>
        <source>Everything lower</source>
        <translation>Alles weiter unten</translation>
    </message>
    <message>
        <source>Choose a product</source>
        <translation>Bitte wählen</translation>
    </message>
    <message>
        <source>Sold out</source>
        <translation>Ausverkauft</translation>
    </message>
    <message>
        <source>Last one</source>
        <translation>Nur noch eins</translation>
    </message>
    <message>
        <source>Previous page</source>
        <translation>Vorige Seite</translation>
    </message>
    <message>
        <source>Next page</source>
        <translation>Nächste Seite</translation>
    </message>
    <message>
        <source>{number} / {pages}</source>
        <translation>{number} / {pages}</translation>
    </message>
    <message>
        <source>Camera on</source>
        <translation>Kamera an</translation>
    </message>
    <message>
        <source>Camera off</source>
        <translation>Kamera aus</translation>
    </message>
    <message>
        <source>Pay {price}</source>
        <translation>{price} bezahlen</translation>
    </message>
    <message>
        <source>From {years} years. We check your age before you pay.</source>
        <translation>Ab {years} Jahren. Vor dem Bezahlen prüfen wir Ihr Alter.</translation>
    </message>
    <message>
        <source>Age check</source>
        <translation>Altersprüfung</translation>
    </message>
    <message>
        <source>Look at the screen</source>
        <translation>Bitte auf den Bildschirm sehen</translation>
    </message>
    <message>
        <source>It takes a few seconds</source>
        <translation>Es dauert wenige Sekunden</translation>
    </message>
    <message>
        <source>One person, please</source>
        <translation>Bitte nur eine Person</translation>
    </message>
    <message>
        <source>Ask the others to step aside</source>
        <translation>Bitten Sie die anderen, zur Seite zu treten</translation>
    </message>
    <message>
        <source>A little closer</source>
        <translation>Etwas näher, bitte</translation>
    </message>
    <message>
        <source>Step up to the machine</source>
        <translation>Treten Sie an das Gerät heran</translation>
    </message>
    <message>
        <source>Hold still</source>
        <translation>Bitte stillhalten</translation>
    </message>
    <message>
        <source>Keep looking at the screen</source>
        <translation>Sehen Sie weiter auf den Bildschirm</translation>
    </message>
    <message>
        <source>Turn your head slowly</source>
        <translation>Den Kopf langsam drehen</translation>
    </message>
    <message>
        <source>A little left, a little right</source>
        <translation>Etwas nach links, etwas nach rechts</translation>
    </message>
    <message>
        <source>Your ID, please</source>
        <translation>Ihren Ausweis, bitte</translation>
    </message>
    <message>
        <source>The camera could not decide</source>
        <translation>Die Kamera konnte nicht entscheiden</translation>
    </message>
    <message>
        <source>Thank you</source>
        <translation>Vielen Dank</translation>
    </message>
    <message>
        <source>Next: payment</source>
        <translation>Weiter zur Zahlung</translation>
    </message>
    <message>
        <source>Show an ID instead</source>
        <translation>Lieber Ausweis zeigen</translation>
    </message>
    <message>
        <source>Hold your ID to the reader, or show it to the staff, who type their PIN here.</source>
        <translation>Halten Sie den Ausweis an den Leser oder zeigen Sie ihn dem Personal, das hier seine PIN eingibt.</translation>
    </message>
    <message>
        <source>Please show your ID to the staff. They type their PIN here.</source>
        <translation>Zeigen Sie den Ausweis dem Personal, das hier seine PIN eingibt.</translation>
    </message>
    <message>
        <source>Hold your ID to the reader.</source>
        <translation>Halten Sie den Ausweis an den Leser.</translation>
    </message>
    <message>
        <source>Staff: {years} or older?</source>
        <translation>Personal: {years} oder älter?</translation>
    </message>
    <message>
        <source>Wrong PIN</source>
        <translation>Falsche PIN</translation>
    </message>
    <message>
        <source>Next try in {seconds} s</source>
        <translation>Nächster Versuch in {seconds} s</translation>
    </message>
    <message>
        <source>Erase</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Confirm</source>
        <translation>Bestätigen</translation>
    </message>
    <message>
        <source>Sorry, not this one</source>
        <translation>Das geht leider nicht</translation>
    </message>
    <message>
        <source>This machine sells it only after an ID check. You can buy anything else.</source>
        <translation>Dieses Gerät verkauft es nur nach einer Ausweisprüfung. Alle anderen Produkte können Sie kaufen.</translation>
    </message>
    <message>
        <source>Other products</source>
        <translation>Andere Produkte</translation>
    </message>
    <message>
        <source>Tap or insert your card</source>
        <translation>Karte vorhalten oder einstecken</translation>
    </message>
    <message>
        <source>At the reader. If it asks for a PIN, type it there.</source>
        <translation>Am Kartenleser. Falls er eine PIN verlangt, geben Sie sie dort ein.</translation>
    </message>
    <message>
        <source>The card was declined</source>
        <translation>Die Karte wurde abgelehnt</translation>
    </message>
    <message>
        <source>Nothing was charged. Another card may work.</source>
        <translation>Es wurde nichts abgebucht. Mit einer anderen Karte geht es vielleicht.</translation>
    </message>
    <message>
        <source>Payment cancelled</source>
        <translation>Zahlung abgebrochen</translation>
    </message>
    <message>
        <source>Nothing was charged.</source>
        <translation>Es wurde nichts abgebucht.</translation>
    </message>
    <message>
        <source>No card came</source>
        <translation>Es kam keine Karte</translation>
    </message>
    <message>
        <source>The payment did not work</source>
        <translation>Die Zahlung hat nicht funktioniert</translation>
    </message>
    <message>
        <source>Nothing was charged. It is the machine's fault, not your card's.</source>
        <translation>Es wurde nichts abgebucht. Es liegt am Gerät, nicht an Ihrer Karte.</translation>
    </message>
    <message>
        <source>If your card was charged, you will get the money back. Keep this number: {number}</source>
        <translation>Falls Ihre Karte belastet wurde, bekommen Sie das Geld zurück. Bewahren Sie diese Nummer auf: {number}</translation>
    </message>
    <message>
        <source>Scan to keep this number</source>
        <translation>Scannen und Nummer behalten</translation>
    </message>
    <message>
        <source>One moment, the reader is still busy.</source>
        <translation>Einen Moment, der Kartenleser ist noch beschäftigt.</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal</translation>
    </message>
    <message>
        <source>Here it comes</source>
        <translation>Ihr Produkt kommt</translation>
    </message>
    <message>
        <source>Take it from the tray below</source>
        <translation>Nehmen Sie es unten aus dem Fach</translation>
    </message>
    <message>
        <source>Your product did not come. We are sorry.</source>
        <translation>Ihr Produkt wurde nicht ausgegeben. Es tut uns leid.</translation>
    </message>
    <message>
        <source>Your product is stuck. We are sorry.</source>
        <translation>Ihr Produkt klemmt. Es tut uns leid.</translation>
    </message>
    <message>
        <source>This slot cannot sell just now. We are sorry.</source>
        <translation>Aus diesem Fach kann gerade nicht verkauft werden. Es tut uns leid.</translation>
    </message>
    <message>
        <source>You get your money back</source>
        <translation>Sie bekommen Ihr Geld zurück</translation>
    </message>
    <message>
        <source>Your product is in the tray below</source>
        <translation>Ihr Produkt liegt unten im Fach</translation>
    </message>
    <message>
        <source>Your money is back</source>
        <translation>Ihr Geld ist zurück</translation>
    </message>
    <message>
        <source>Nothing is charged. We are sorry.</source>
        <translation>Es wird nichts abgebucht. Es tut uns leid.</translation>
    </message>
    <message>
        <source>Your refund is on its way</source>
        <translation>Ihre Rückzahlung ist unterwegs</translation>
    </message>
    <message>
        <source>The reader is slow to respond. Keep this number, so that the operator can find your payment.</source>
        <translation>Der Kartenleser antwortet langsam. Behalten Sie die Nummer: Mit ihr findet der Betreiber Ihre Zahlung.</translation>
    </message>
    <message>
        <source>Receipt</source>
        <translation>Beleg</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Sale</source>
        <translation>Kauf</translation>
    </message>
    <message>
        <source>Payment</source>
        <translation>Zahlung</translation>
    </message>
    <message>
        <source>Scan to keep your receipt</source>
        <translation>Scannen und Beleg mitnehmen</translation>
    </message>
    <message>
        <source>Are you still there?</source>
        <translation>Sind Sie noch da?</translation>
    </message>
    <message>
        <source>Otherwise everything is cleared</source>
        <translation>Sonst wird alles gelöscht</translation>
    </message>
    <message>
        <source>Yes, go on</source>
        <translation>Ja, weiter</translation>
    </message>
    <message>
        <source>No, clear it</source>
        <translation>Nein, löschen</translation>
    </message>
    <message>
        <source>Out of order</source>
        <translation>Außer Betrieb</translation>
    </message>
    <message>
        <source>We are sorry. This machine cannot sell just now.</source>
        <translation>Es tut uns leid. Dieses Gerät kann gerade nicht verkaufen.</translation>
    </message>
    <message>
        <source>Service: {why}</source>
        <translation>Service: {why}</translation>
    </message>
    <message>
        <source>The camera is not available</source>
        <translation>Die Kamera ist nicht verfügbar</translation>
    </message>
    <message>
        <source>You can shop on without it</source>
        <translation>Sie können ohne sie weiter einkaufen</translation>
    </message>
</context>
<context>
    <name>Strings</name>
    <message>
        <source>Female</source>
        <translation>Weiblich</translation>
    </message>
    <message>
        <source>Male</source>
        <translation>Männlich</translation>
    </message>
    <message>
        <source>F</source>
        <translation>W</translation>
    </message>
    <message>
        <source>M</source>
        <translation>M</translation>
    </message>
    <message>
        <source>{percent}%</source>
        <translation>{percent} %</translation>
    </message>
    <message>
        <source>about</source>
        <translation>etwa</translation>
    </message>
    <message>
        <source>Estimating…</source>
        <translation>Schätzt …</translation>
    </message>
    <message>
        <source>Unknown</source>
        <translation>Unbekannt</translation>
    </message>
    <message>
        <source>Nearest of {faces} people</source>
        <translation>Vorderste von {faces} Personen</translation>
    </message>
    <message>
        <source>Live estimate</source>
        <translation>Live-Schätzung</translation>
    </message>
    <message>
        <source>Step closer</source>
        <translation>Kommen Sie näher</translation>
    </message>
    <message>
        <source>Look at the screen</source>
        <translation>Bitte auf den Bildschirm sehen</translation>
    </message>
    <message>
        <source>The picture is not clear enough. Try facing the light.</source>
        <translation>Das Bild ist nicht klar genug. Drehen Sie sich zum Licht.</translation>
    </message>
    <message>
        <source>One moment</source>
        <translation>Einen Moment</translation>
    </message>
    <message>
        <source>The estimate appears here</source>
        <translation>Hier erscheint die Schätzung</translation>
    </message>
    <message>
        <source>No estimate</source>
        <translation>Keine Schätzung</translation>
    </message>
    <message>
        <source>There is no live picture</source>
        <translation>Es gibt kein Live-Bild</translation>
    </message>
    <message>
        <source>Estimated live on this machine.</source>
        <translation>Live in diesem Gerät geschätzt.</translation>
    </message>
    <message>
        <source>Nothing is stored.</source>
        <translation>Nichts wird gespeichert.</translation>
    </message>
    <message>
        <source>Only hourly counts by age group are kept.</source>
        <translation>Behalten werden nur Zahlen je Stunde und Altersgruppe.</translation>
    </message>
    <message>
        <source>Getting ready</source>
        <translation>Gleich geht es los</translation>
    </message>
    <message>
        <source>The camera is starting</source>
        <translation>Die Kamera startet</translation>
    </message>
    <message>
        <source>No camera</source>
        <translation>Keine Kamera</translation>
    </message>
    <message>
        <source>The picture returns when a camera responds</source>
        <translation>Das Bild kommt, sobald eine Kamera antwortet</translation>
    </message>
    <message>
        <source>Just a moment</source>
        <translation>Einen Moment</translation>
    </message>
    <message>
        <source>The camera is starting again</source>
        <translation>Die Kamera startet neu</translation>
    </message>
    <message>
        <source>The end</source>
        <translation>Ende</translation>
    </message>
    <message>
        <source>The recording is over</source>
        <translation>Die Aufnahme ist zu Ende</translation>
    </message>
    <message>
        <source>Out of service</source>
        <translation>Außer Betrieb</translation>
    </message>
    <message>
        <source>The camera cannot work with these settings</source>
        <translation>Mit diesen Einstellungen funktioniert die Kamera nicht</translation>
    </message>
    <message>
        <source>{fps} fps · {latency} ms</source>
        <translation>{fps} B/s · {latency} ms</translation>
    </message>
    <message>
        <source>{pace} · backup engine</source>
        <translation>{pace} · Ersatzmodell</translation>
    </message>
    <message>
        <source>FacialNet Kiosk</source>
        <translation>FacialNet Kiosk</translation>
    </message>
</context>
</TS>
