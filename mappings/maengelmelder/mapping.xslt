<?xml version="1.0" encoding="UTF-8"?>
<!-- Mängelmeldung → xdomea 3.1.0 Abgabe.Abgabe.0401: ein Vorgang mit der Meldung und ihren Fotos.
     Das Dokument, das hier gelesen wird, beschreibt docs/howto/xslt-mapping.md. Regeln stehen in README.md. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:k="urn:intermediary:kontext:1"
                xmlns:b="urn:intermediary:befunde:1"
                xmlns:m="urn:intermediary:eingang:maengelmelder:1"
                xmlns:xdomea="urn:xoev-de:xdomea:schema:3.1.0"
                exclude-result-prefixes="k b m">

  <xsl:variable name="kontext" select="/k:eingang/k:kontext"/>
  <xsl:variable name="meldung" select="/k:eingang/k:formular/m:meldung"/>
  <xsl:variable name="tag" select="substring($kontext/@eingang, 1, 10)"/>

  <!-- Erst die Gründe abzulehnen, dann die Nachricht -->
  <xsl:template match="/">
    <xsl:choose>
      <xsl:when test="normalize-space($meldung/m:beschreibung) = '' or $leerer-name or $zukunft">
        <b:befunde>
          <xsl:if test="normalize-space($meldung/m:beschreibung) = ''">
            <b:befund regel="LEER" pfad="/meldung/beschreibung" hinweis="Die Beschreibung besteht nur aus Leerzeichen."/>
          </xsl:if>
          <xsl:if test="$leerer-name">
            <b:befund regel="LEER" pfad="/meldung/meldende/familienname" hinweis="Der Name besteht nur aus Leerzeichen."/>
          </xsl:if>
          <xsl:if test="$zukunft">
            <b:befund regel="TAG-IN-ZUKUNFT" pfad="/meldung/festgestelltAm" hinweis="Der Tag liegt nach dem Eingang der Meldung."/>
          </xsl:if>
        </b:befunde>
      </xsl:when>
      <xsl:otherwise>
        <xsl:apply-templates select="$meldung"/>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:variable name="leerer-name" select="$meldung/m:meldende and normalize-space($meldung/m:meldende/m:familienname) = ''"/>
  <xsl:variable name="zukunft"
                select="number(translate(substring($meldung/m:festgestelltAm, 1, 10), '-', '')) &gt; number(translate($tag, '-', ''))"/>

  <xsl:template match="m:meldung">
    <xdomea:Abgabe.Abgabe.0401>
      <xsl:call-template name="kopf"/>
      <xdomea:Schriftgutobjekt>
        <xdomea:Vorgang>
          <xdomea:Identifikation>
            <xdomea:ID><xsl:value-of select="$kontext/k:id[@pfad='/Vorgang']"/></xdomea:ID>
          </xdomea:Identifikation>
          <xdomea:AllgemeineMetadaten>
            <xdomea:Betreff><xsl:call-template name="betreff"/></xdomea:Betreff>
            <!-- MELDUNG-ALS-BEMERKUNG: what was told stands where a reader of the list sees it -->
            <xdomea:Bemerkung><xsl:value-of select="m:beschreibung"/></xdomea:Bemerkung>
            <xdomea:Medium listURI="urn:xoev-de:xdomea:codeliste:medium" listVersionID="1.0"><code>001</code></xdomea:Medium>
            <xdomea:Aktenplaneinheit>
              <xdomea:Kennzeichen><xsl:value-of select="$kontext/k:einstellung[@name='aktenplan']"/></xdomea:Kennzeichen>
            </xdomea:Aktenplaneinheit>
          </xdomea:AllgemeineMetadaten>
          <xdomea:Typ>Mängelmeldung</xdomea:Typ>
          <xdomea:Laufzeit>
            <xdomea:Beginn><xsl:value-of select="$tag"/></xdomea:Beginn>
          </xdomea:Laufzeit>
          <xsl:apply-templates select="/k:eingang/k:formulardaten | /k:eingang/k:anlage"/>
          <xsl:apply-templates select="m:meldende"/>
        </xdomea:Vorgang>
      </xdomea:Schriftgutobjekt>
    </xdomea:Abgabe.Abgabe.0401>
  </xsl:template>

  <xsl:template name="kopf">
    <xdomea:Kopf>
      <xdomea:ProzessID><xsl:value-of select="$kontext/@kennung"/></xdomea:ProzessID>
      <xdomea:Nachrichtentyp listURI="urn:xoev-de:xdomea:codeliste:nachrichtentyp" listVersionID="2.0"><code>0401</code></xdomea:Nachrichtentyp>
      <xdomea:Erstellungszeitpunkt><xsl:value-of select="$kontext/@eingang"/></xdomea:Erstellungszeitpunkt>
      <xdomea:Absender>
        <xdomea:Institution><xdomea:Name><xsl:value-of select="$kontext/@mandant"/></xdomea:Name></xdomea:Institution>
      </xdomea:Absender>
      <xdomea:Empfaenger>
        <xdomea:Institution>
          <xdomea:Name><xsl:value-of select="$kontext/k:einstellung[@name='empfaenger']"/></xdomea:Name>
        </xdomea:Institution>
      </xdomea:Empfaenger>
      <!-- HINWEIS: xdomea 3.1 has no mark for tests or repeated output, so the Kopf says it in words -->
      <xsl:if test="$kontext/@test = 'true' or $kontext/@fassung != '0'">
        <xdomea:Hinweis>
          <xsl:if test="$kontext/@test = 'true'">Testnachricht, nicht bearbeiten. </xsl:if>
          <xsl:if test="$kontext/@fassung != '0'">Berichtigte Fassung <xsl:value-of select="$kontext/@fassung"/> derselben Meldung.</xsl:if>
        </xdomea:Hinweis>
      </xsl:if>
      <xdomea:Importbestaetigung>true</xdomea:Importbestaetigung>
      <xdomea:Empfangsbestaetigung>false</xdomea:Empfangsbestaetigung>
    </xdomea:Kopf>
  </xsl:template>

  <!-- BETREFF-OHNE-PERSON: kind and place, never who told -->
  <xsl:template name="betreff">
    <xsl:text>Mangel: </xsl:text>
    <xsl:choose>
      <xsl:when test="m:art = 'schlagloch'">Schlagloch</xsl:when>
      <xsl:when test="m:art = 'laterne'">Laterne</xsl:when>
      <xsl:when test="m:art = 'muell'">Müll</xsl:when>
      <xsl:otherwise>Sonstiges</xsl:otherwise>
    </xsl:choose>
    <xsl:value-of select="concat(', ', normalize-space(m:ort/m:strasse))"/>
    <xsl:if test="m:ort/m:hausnummer"><xsl:value-of select="concat(' ', normalize-space(m:ort/m:hausnummer))"/></xsl:if>
    <xsl:if test="m:ort/m:hinweis"><xsl:value-of select="concat(' (', normalize-space(m:ort/m:hinweis), ')')"/></xsl:if>
    <xsl:value-of select="concat(', festgestellt am ', substring(m:festgestelltAm, 1, 10))"/>
  </xsl:template>

  <!-- DOKUMENT-STATT-ANLAGE: the form data and each photo are documents, because not every DMS imports `Anlage` -->
  <xsl:template match="k:formulardaten | k:anlage">
    <xdomea:Dokument>
      <xdomea:Identifikation>
        <xdomea:ID><xsl:value-of select="@id"/></xdomea:ID>
        <xdomea:NummerImUebergeordnetenContainer><xsl:value-of select="position()"/></xdomea:NummerImUebergeordnetenContainer>
      </xdomea:Identifikation>
      <xdomea:AllgemeineMetadaten>
        <xdomea:Betreff>
          <xsl:choose>
            <xsl:when test="self::k:formulardaten">Meldung (Formulardaten)</xsl:when>
            <xsl:otherwise>Anlage <xsl:value-of select="@nummer"/></xsl:otherwise>
          </xsl:choose>
        </xdomea:Betreff>
      </xdomea:AllgemeineMetadaten>
      <xdomea:Posteingangsdatum><xsl:value-of select="$tag"/></xdomea:Posteingangsdatum>
      <xdomea:Version>
        <xdomea:Nummer>1</xdomea:Nummer>
        <xdomea:Format>
          <!-- DATEIFORMAT: the sender's media type decides -->
          <xdomea:Name listURI="urn:xoev-de:xdomea:codeliste:dateiformat" listVersionID="1.0">
            <code>
              <xsl:choose>
                <xsl:when test="self::k:formulardaten">030</xsl:when>
                <xsl:when test="@medientyp = 'application/pdf'">018</xsl:when>
                <xsl:when test="@medientyp = 'image/jpeg'">011</xsl:when>
                <xsl:when test="@medientyp = 'image/png'">019</xsl:when>
                <xsl:otherwise>100</xsl:otherwise>
              </xsl:choose>
            </code>
          </xdomea:Name>
          <xsl:if test="self::k:anlage and not(@medientyp = 'application/pdf' or @medientyp = 'image/jpeg' or @medientyp = 'image/png')">
            <xdomea:SonstigerName><xsl:value-of select="@medientyp"/></xdomea:SonstigerName>
          </xsl:if>
          <xdomea:Version>unbekannt</xdomea:Version>
          <xdomea:Primaerdokument>
            <xdomea:Dateiname><xsl:value-of select="@datei"/></xdomea:Dateiname>
            <xsl:if test="@name != ''">
              <xdomea:DateinameOriginal><xsl:value-of select="@name"/></xdomea:DateinameOriginal>
            </xsl:if>
          </xdomea:Primaerdokument>
        </xdomea:Format>
      </xdomea:Version>
    </xdomea:Dokument>
  </xsl:template>

  <xsl:template match="m:meldende">
    <xdomea:Kontakt>
      <xdomea:Name>
        <xdomea:Vorname>
          <xdomea:Name>
            <!-- VORNAMEN-VERBUNDEN -->
            <xsl:for-each select="m:vorname">
              <xsl:if test="position() &gt; 1"><xsl:text> </xsl:text></xsl:if>
              <xsl:value-of select="."/>
            </xsl:for-each>
          </xdomea:Name>
        </xdomea:Vorname>
        <xdomea:Familienname><xdomea:Name><xsl:value-of select="m:familienname"/></xdomea:Name></xdomea:Familienname>
      </xdomea:Name>
      <xsl:apply-templates select="m:email | m:telefon"/>
    </xdomea:Kontakt>
  </xsl:template>

  <!-- KANAL-WENN-ANGEGEBEN -->
  <xsl:template match="m:email | m:telefon">
    <xsl:if test="normalize-space(.) != ''">
      <xdomea:Kommunikation>
        <xdomea:Kanal listURI="urn:de:xoev:codeliste:erreichbarkeit" listVersionID="3">
          <code>
            <xsl:choose>
              <xsl:when test="self::m:email">01</xsl:when>
              <xsl:otherwise>02</xsl:otherwise>
            </xsl:choose>
          </code>
        </xdomea:Kanal>
        <xdomea:Kennung><xsl:value-of select="."/></xdomea:Kennung>
      </xdomea:Kommunikation>
    </xsl:if>
  </xsl:template>

</xsl:stylesheet>
